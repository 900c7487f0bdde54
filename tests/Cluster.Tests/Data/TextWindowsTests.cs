using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Tokens;
using TorchSharp;

namespace Cluster.Tests.Data;

public sealed class TextWindowsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Targets_are_the_next_bytes()
    {
        var data = new CausalWindows(new ByteRun([10, 11, 12, 13, 14, 15, 16, 17]), sequence: 3, "text");
        Assert.Equal(2, data.Count);
        Assert.Equal(256, data.Classes);
        Assert.Equal([3], data.InputShape);
        using var batch = data.Gather([1, 0], 0, torch.CPU);
        Assert.Equal([2, 3], batch.Inputs.shape);
        Assert.Equal([13, 14, 15, 10, 11, 12], batch.Inputs.data<long>().ToArray());
        Assert.Equal([14, 15, 16, 11, 12, 13], batch.Targets.data<long>().ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Gather([2], 0, torch.CPU));
    }

    [Theory, InlineData(4, 1), InlineData(6, 1), InlineData(7, 2), InlineData(9, 2), InlineData(10, 3)]
    public void A_causal_window_needs_the_byte_after_it(int bytes, int windows) =>
        Assert.Equal(windows, new CausalWindows(new ByteRun(new byte[bytes]), sequence: 3, "text").Count);

    [Theory, InlineData(3, 1), InlineData(5, 1), InlineData(6, 2)]
    public void A_masked_window_needs_no_byte_more(int bytes, int windows) =>
        Assert.Equal(windows, new MaskedWindows(new ByteRun(new byte[bytes]), sequence: 3, share: 0.15, "text").Count);

    [Fact]
    public void Files_are_joined_in_order_and_split_by_bytes()
    {
        _folder.Write("b.txt", 0, 1, 2);
        _folder.Write("a.txt", 3, 4, 5, 6, 7, 8, 9);
        string[] paths = [Path.Combine(_folder.Path, "b.txt"), Path.Combine(_folder.Path, "a.txt")];
        Assert.Equal([0, 1], TextFiles.Read(paths, 0.8, DataSplit.Train));
        Assert.Equal([2, 3, 4, 5, 6, 7, 8, 9], TextFiles.Read(paths, 0.8, DataSplit.Evaluation));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], TextFiles.Read(paths, 0.3, DataSplit.Train));
        Assert.Equal([0], TextFiles.Read(paths, 0.9, DataSplit.Train));
    }

    [Fact]
    public void Tiny_shakespeare_is_split_as_everybody_splits_it()
    {
        // nanoGPT's data/shakespeare_char: 1,003,854 tokens to train, 111,540 to validate.
        var spec = new DataSpec.Text { Files = ["text/tinyshakespeare.txt"] };
        Assert.Equal((1_003_854 - 65) / 64 + 1, DataSets.Open(spec, [DataRoots.Shipped], DataSplit.Train, 64).Count);
        var evaluation = DataSets.Open(spec, [DataRoots.Shipped], DataSplit.Evaluation, 64);
        Assert.Equal((111_540 - 65) / 64 + 1, evaluation.Count);
        using var batch = evaluation.Gather([0], 0, torch.CPU);
        Assert.Equal("?\n\nGREMIO:\nGood morrow", new string([.. batch.Inputs.data<long>().Take(22).Select(b => (char)b)]));
    }
}
