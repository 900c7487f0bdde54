using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using TorchSharp;

namespace Cluster.Tests.Data;

/// <summary>Tiny hand-made files of each format come out as the numbers that were put in.</summary>
public sealed class DecodingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory, InlineData(false), InlineData(true)]
    public void Idx_files_plain_and_gzip(bool gzip)
    {
        Put("mnist/train-images-idx3-ubyte", Samples.IdxImages(3), gzip);
        Put("mnist/train-labels-idx1-ubyte", Samples.IdxLabels(7, 0, 9), gzip);
        var data = DataSets.Open(new DataSpec.Mnist(), [_folder.Path], DataSplit.Train);

        Assert.Equal(3, data.Count);
        Assert.Equal(10, data.Classes);
        Assert.Equal([1, 28, 28], data.InputShape);
        using var batch = data.Gather([2, 0, 2], seed: 0, torch.CPU);
        Assert.Equal([3, 1, 28, 28], batch.Inputs.shape);
        Assert.Equal([9, 7, 9], batch.Targets.data<long>().ToArray());
        var values = batch.Inputs.data<float>().ToArray();
        Assert.Equal((2 / 255.0 - 0.1307) / 0.3081, values[0], 5);
        Assert.Equal((255 / 255.0 - 0.1307) / 0.3081, values[784 + 255], 5);
        Assert.Equal(values[..784], values[1568..]);
    }

    [Fact]
    public void Fashion_mnist_has_its_own_scale()
    {
        Put("fashion-mnist/t10k-images-idx3-ubyte", Samples.IdxImages(1), false);
        Put("fashion-mnist/t10k-labels-idx1-ubyte", Samples.IdxLabels(4), false);
        using var batch = DataSets.Open(new DataSpec.FashionMnist(), [_folder.Path], DataSplit.Evaluation).Gather([0], 0, torch.CPU);
        Assert.Equal(-0.2860 / 0.3530, batch.Inputs.data<float>()[0], 5);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Cifar_in_one_file(bool gzip)
    {
        Put("cifar10/test.bin", Samples.Cifar(5, 3), gzip);
        var data = DataSets.Open(new DataSpec.Cifar10(), [_folder.Path], DataSplit.Evaluation);

        Assert.Equal(2, data.Count);
        Assert.Equal([3, 32, 32], data.InputShape);
        using var batch = data.Gather([1], 0, torch.CPU);
        Assert.Equal([3], batch.Targets.data<long>().ToArray());
        var values = batch.Inputs.data<float>().ToArray();
        Assert.Equal((13 / 255.0 - 0.4914) / 0.2470, values[0], 5);
        Assert.Equal((23 / 255.0 - 0.4822) / 0.2435, values[1024], 5);
        Assert.Equal((33 / 255.0 - 0.4465) / 0.2616, values[3071], 5);
    }

    [Fact]
    public void Cifar_in_grey_and_smaller()
    {
        Put("cifar10/test.bin", Samples.Cifar(5, 3), false);
        var grey = DataSets.Open(new DataSpec.Cifar10 { Grey = true, Side = 28 }, [_folder.Path], DataSplit.Evaluation);
        Assert.Equal([1, 28, 28], grey.InputShape);
        using var batch = grey.Gather([1], 0, torch.CPU);
        Assert.Equal((21 / 255.0 - 0.4809) / 0.2392, batch.Inputs.data<float>()[0], 5); // 0.299·13 + 0.587·23 + 0.114·33 = 21.15.
        Assert.Equal([3, 20, 20], DataSets.Open(new DataSpec.Cifar10 { Side = 20 }, [_folder.Path], DataSplit.Evaluation).InputShape);
    }

    [Fact]
    public void Cifar_in_five_files_is_read_in_their_order()
    {
        for (byte i = 1; i <= 5; i++) { Put($"cifar10/data_batch_{i}.bin", Samples.Cifar(i, (byte)(9 - i)), gzip: i % 2 == 0); }
        var data = DataSets.Open(new DataSpec.Cifar10(), [_folder.Path], DataSplit.Train);
        using var batch = data.Gather([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 0, torch.CPU);
        Assert.Equal([1, 8, 2, 7, 3, 6, 4, 5, 5, 4], batch.Targets.data<long>().ToArray());
    }

    [Theory, InlineData("\n", true), InlineData("\r\n", true), InlineData("\n", false)]
    public void Digits_with_either_line_end(string end, bool last)
    {
        _folder.Write("digits/optdigits.tra", Samples.DigitsLine(3) + end + Samples.DigitsLine(8) + (last ? end : ""));
        var data = DataSets.Open(new DataSpec.Digits(), [_folder.Path], DataSplit.Train);

        Assert.Equal([1, 8, 8], data.InputShape);
        using var batch = data.Gather([1, 0], 0, torch.CPU);
        Assert.Equal([8, 3], batch.Targets.data<long>().ToArray());
        Assert.Equal(Enumerable.Range(0, 64).Select(p => p % 17 / 16f), batch.Inputs.data<float>().Take(64));
    }

    [Fact]
    public void A_sample_that_is_not_there_is_refused()
    {
        _folder.Write("digits/optdigits.tra", Samples.DigitsLine(3));
        var data = DataSets.Open(new DataSpec.Digits(), [_folder.Path], DataSplit.Train);
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Gather([1], 0, torch.CPU));
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Gather([-1], 0, torch.CPU));
    }

    private void Put(string name, byte[] bytes, bool gzip) =>
        _folder.Write(gzip ? name + ".gz" : name, gzip ? TemporaryFolder.Gzip(bytes) : bytes);
}
