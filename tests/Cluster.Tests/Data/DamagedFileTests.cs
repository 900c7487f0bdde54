using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;

namespace Cluster.Tests.Data;

/// <summary>Each damaged file gives a message that names the file and says what is wrong with it.</summary>
public sealed class DamagedFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Header, an empty last block, checksum and length of nothing.</summary>
    private static readonly byte[] s_gzipOfNothing = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private const string Images = "mnist/train-images-idx3-ubyte", Labels = "mnist/train-labels-idx1-ubyte";

    public static TheoryData<string, byte[], string> DamagedIdx { get; } = new()
    {
        { Images, [], "is empty" },
        { Images, Samples.Header(0x803, 3)[..6], "is cut off: its header has 6 of 16 bytes" },
        { Images, Samples.IdxLabels(1, 2, 3), "begins with 0x00000801 (IDX labels); 0x00000803 (IDX images) expected" },
        { Images, "hello, world, this is text"u8.ToArray(), "begins with 0x68656c6c; 0x00000803 (IDX images) expected" },
        { Images, Samples.Header(0x803, 3, 32, 32), "holds images of 32x32 pixels; 28x28 expected" },
        { Images, Samples.Header(0x803, 0, 28, 28), "holds no images" },
        { Images, Samples.IdxImages(3)[..^1], "is cut off: 3 images take 2,368 bytes, it cannot hold more than 2,367" },
        { Images, Samples.Header(0x803, 2_000_000, 28, 28), "is cut off: 2,000,000 images take 1,568,000,016 bytes, it cannot hold more than 16" },
        { Images, Samples.Header(0x803, -1, 28, 28), "announces 4,294,967,295 images; at most 2,739,137 fit in memory" },
        { Images, [.. Samples.IdxImages(3), 0], "goes on after the 2,368 bytes that its header announces" },
        { Images, TemporaryFolder.Gzip(Samples.IdxImages(3)), "is gzip, though its name does not end in .gz" },
        { Images + ".gz", Samples.IdxImages(3), "is not gzip, though its name ends in .gz" },
        { Images + ".gz", TemporaryFolder.Gzip(Samples.IdxImages(3))[..^60], "is cut off: its gzip data end after " },
        { Images + ".gz", TemporaryFolder.Gzip(Samples.IdxImages(3))[..^2], "is cut off: its gzip data end after 2,368 bytes" },
        { Images + ".gz", [0x1f, 0x8b], "is cut off: its gzip data end after 0 bytes" },
        { Images + ".gz", TemporaryFolder.Gzip(Samples.IdxImages(3)[..2000]), "is cut off: 3 images take 2,368 bytes, it ends after 2,000" },
        { Images + ".gz", TemporaryFolder.Gzip([.. Samples.IdxImages(3), 1, 2]), "goes on after the 2,368 bytes that its header announces" },
        { Images + ".gz", TemporaryFolder.Gzip(Samples.Header(0x803, 1_000_000, 28, 28)), "is cut off: 1,000,000 images take 784,000,016 bytes, it cannot hold more than" },
        { Images + ".gz", WrongChecksum(TemporaryFolder.Gzip(Samples.IdxImages(3))), "is damaged: " },
        { Labels, Samples.IdxImages(3), "begins with 0x00000803 (IDX images); 0x00000801 (IDX labels) expected" },
        { Labels, Samples.IdxLabels(1, 10, 3), "has label 10 at index 1; labels are 0 to 9" },
        { Labels, Samples.IdxLabels(1, 2, 3)[..^1], "is cut off: 3 labels take 11 bytes, it cannot hold more than 10" },
        { Labels, Samples.Header(0x801), "is cut off: its header has 4 of 8 bytes" },
    };

    [Theory, MemberData(nameof(DamagedIdx), DisableDiscoveryEnumeration = true)]
    public void Idx(string name, byte[] bytes, string problem)
    {
        if (!name.StartsWith(Images, StringComparison.Ordinal)) { _folder.Write(Images, Samples.IdxImages(3)); }
        if (!name.StartsWith(Labels, StringComparison.Ordinal)) { _folder.Write(Labels, Samples.IdxLabels(1, 2, 3)); }
        AssertRefused(new DataSpec.Mnist(), _folder.Write(name, bytes), problem);
    }

    [Fact]
    public void Idx_counts_that_differ()
    {
        var images = _folder.Write(Images, Samples.IdxImages(3));
        var labels = _folder.Write(Labels, Samples.IdxLabels(1, 2));
        AssertRefused(new DataSpec.Mnist(), images, $"holds 3 images, but {labels} holds 2 labels");
    }

    public static TheoryData<string, byte[], string> DamagedCifar { get; } = new()
    {
        { "train.bin", [], "is empty" },
        { "train.bin", Samples.Cifar(1, 2)[..^1], "is cut off or no CIFAR-10 file: 6,145 bytes are not a whole number of records of 3,073" },
        { "train.bin", Samples.Cifar(1, 10), "has label 10 in record 1; labels are 0 to 9" },
        { "train.bin.gz", s_gzipOfNothing, "holds no images" },
        { "train.bin.gz", TemporaryFolder.Gzip(new byte[60_001 * 3073]), "holds more than 184,380,000 bytes" },
        { "train.bin.gz", TemporaryFolder.Gzip(Samples.Cifar(1, 2))[..^8], "is cut off: its gzip data end after 6,146 bytes" },
        { "train.bin.gz", WrongChecksum(TemporaryFolder.Gzip(Samples.Cifar(1, 2))), "is damaged: " },
    };

    [Theory, MemberData(nameof(DamagedCifar), DisableDiscoveryEnumeration = true)]
    public void Cifar(string name, byte[] bytes, string problem) =>
        AssertRefused(new DataSpec.Cifar10(), _folder.Write("cifar10/" + name, bytes), problem);

    public static TheoryData<string, string> DamagedDigits { get; } = new()
    {
        { "", "is empty" },
        { Samples.DigitsLine(3) + "\n1,2,3\n", "line 2: 3 columns; 65 expected (64 pixels and the class)" },
        { Samples.DigitsLine(3) + ",1\n", "line 1: 66 columns; 65 expected" },
        { Samples.DigitsLine(3) + "\n\n" + Samples.DigitsLine(3) + "\n", "line 2: empty; 65 numbers expected" },
        { Samples.DigitsLine(3) + "\n" + Samples.DigitsLine(10) + "\n", "line 2, column 65: '10' is not a class of 0 to 9" },
        { "17" + Samples.DigitsLine(3)[1..], "line 1, column 1: '17' is not a pixel of 0 to 16" },
        { "-1" + Samples.DigitsLine(3)[1..], "line 1, column 1: '-1' is not a pixel of 0 to 16" },
        { "x" + Samples.DigitsLine(3)[1..], "line 1, column 1: 'x' is not a pixel of 0 to 16" },
        { Samples.DigitsLine(3)[1..], "line 1, column 1: '' is not a pixel of 0 to 16" },
        { "pixels,class\n" + Samples.DigitsLine(3), "line 1: 2 columns; 65 expected" },
    };

    [Theory, MemberData(nameof(DamagedDigits))]
    public void Digits(string text, string problem) =>
        AssertRefused(new DataSpec.Digits(), _folder.Write("digits/optdigits.tra", text), problem);

    [Fact]
    public void Text_that_is_empty() =>
        AssertRefused(Text("a.txt"), _folder.Write("a.txt"), "is empty");

    [Fact]
    public void Text_that_is_gzip()
    {
        AssertRefused(Text("a.txt"), _folder.Write("a.txt", TemporaryFolder.Gzip(1, 2, 3)), "is gzip, though its name does not end in .gz");
        AssertRefused(Text("a.txt.gz"), _folder.Write("a.txt.gz", TemporaryFolder.Gzip(1, 2, 3)), "is gzip; text is read as it is, so unpack it first");
    }

    [Fact]
    public void Text_shorter_than_a_window()
    {
        var path = _folder.Write("a.txt", new byte[20]);
        AssertRefused(Text("a.txt"), path, "has 18 bytes, less than one window of 33 (sequence 32 and the byte after it)", sequence: 32);
        AssertRefused(Text("a.txt"), path, "has 18 bytes, less than one window of 19.", sequence: 19, masked: true);
        AssertRefused(Text("a.txt"), path, "the evaluation part of", sequence: 2, split: DataSplit.Evaluation);
    }

    [Fact]
    public void Text_without_files_or_sequence()
    {
        Assert.Contains("data.files is empty", Refusal(new DataSpec.Text { Files = [] }, 8), StringComparison.Ordinal);
        Assert.Contains("text needs a sequence length", Refusal(Text("a.txt"), sequence: null), StringComparison.Ordinal);
    }

    private static DataSpec.Text Text(string file) => new() { Files = [file] };

    /// <summary>Flips a bit of the CRC-32 in the last eight bytes.</summary>
    private static byte[] WrongChecksum(byte[] gzip)
    {
        gzip[^8] ^= 1;
        return gzip;
    }

    private string Refusal(DataSpec spec, int? sequence, bool masked = false, DataSplit split = DataSplit.Train) =>
        Assert.Throws<BadInputException>(() => DataSets.Open(spec, [_folder.Path], split, sequence, masked)).Message;

    private void AssertRefused(DataSpec spec, string path, string problem, int sequence = 8, bool masked = false, DataSplit split = DataSplit.Train)
    {
        var message = Refusal(spec, sequence, masked, split);
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.True(message.Contains(problem, StringComparison.Ordinal), message);
    }
}
