using System.Buffers.Binary;
using System.Text;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Rounds;

namespace Cluster.Tests.Rounds;

public sealed class RoundHeaderTests
{
    [Theory, InlineData(true, 0, 0, null, 0), InlineData(false, 7, 0, "no answer", 2), InlineData(true, long.MaxValue, 3, "µ", 0), InlineData(false, 1, 20, null, 4096)]
    public void What_is_written_is_read(bool stop, long generation, int count, string? trouble, int lateCount)
    {
        var wish = new RoundWish(stop, generation);
        Tally[] tallies = [.. Enumerable.Range(0, count).Select(i => new Tally(i, i + 0.1, i % 2 == 0 ? double.NaN : -1.0 / 3, double.PositiveInfinity, i * 1e300))];

        int[] late = [.. Enumerable.Range(7, lateCount)];

        var bytes = RoundHeader.Write(wish, late, tallies, trouble);
        var read = RoundHeader.Read(bytes);

        Assert.Equal(15 + Encoding.UTF8.GetByteCount(trouble ?? "") + 4 * lateCount + 40 * count, bytes.Length);
        Assert.Equal(wish, read.Wish);
        Assert.Equal(trouble, read.Trouble);
        Assert.Equal(late, read.Late);
        Assert.Equal(tallies, read.Tallies);
    }

    /// <summary>However long the words are, the header fits into a gather; no character is cut in two.</summary>
    [Fact]
    public void Long_words_are_cut_off()
    {
        var read = RoundHeader.Read(RoundHeader.Write(default, [], [], "a" + new string('µ', 5_000)));
        Assert.Equal("a" + new string('µ', 999), read.Trouble);
    }

    /// <summary>The most that a federated round can say: as many clients as the specification allows, on one rank, and all late.</summary>
    [Fact]
    public void The_longest_header_fits_into_a_gather()
    {
        const int clients = 3 * 4096;
        var nodes = new Tally[2 * 14]; // A run of fewer than 2^14 leaves.
        Assert.InRange(RoundHeader.Write(default, [.. Enumerable.Range(0, clients)], nodes, new string('!', 2_000)).Length, 4 * clients, Mesh.MaxGatherBytes);
    }

    [Fact]
    public void What_one_rank_wishes_all_do()
    {
        Assert.Equal(new RoundWish(true, 5), new RoundWish(true, 3) | new RoundWish(false, 5));
        Assert.Equal(default, default(RoundWish) | default(RoundWish));
    }

    [Theory, InlineData(0), InlineData(9), InlineData(14), InlineData(16), InlineData(54), InlineData(56)]
    public void Bytes_that_are_no_whole_tallies_are_refused(int length)
    {
        var refused = Assert.Throws<InvalidDataException>(() => RoundHeader.Read(new byte[length]));
        Assert.Contains($"{length} bytes", refused.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(1), InlineData(-1), InlineData(int.MaxValue), InlineData(int.MinValue)]
    public void More_late_leaves_than_there_are_bytes_are_refused(int count)
    {
        var bytes = new byte[15];
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(11), count);
        Assert.Throws<InvalidDataException>(() => RoundHeader.Read(bytes));
    }

    [Theory, InlineData(1), InlineData(ushort.MaxValue)]
    public void Longer_words_than_there_are_bytes_are_refused(ushort length)
    {
        var bytes = new byte[15];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(9), length);
        Assert.Throws<InvalidDataException>(() => RoundHeader.Read(bytes));
    }
}
