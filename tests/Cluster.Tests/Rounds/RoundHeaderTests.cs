using System.Buffers.Binary;
using Cluster.Trainer.Core;
using Cluster.Trainer.Rounds;

namespace Cluster.Tests.Rounds;

public sealed class RoundHeaderTests
{
    [Theory, InlineData(true, 0, 0, 0), InlineData(false, 7, 0, 2), InlineData(true, long.MaxValue, 3, 0), InlineData(false, 1, 20, 4096)]
    public void What_is_written_is_read(bool stop, long generation, int count, int lateCount)
    {
        var wish = new RoundWish(stop, generation);
        Tally[] tallies = [.. Enumerable.Range(0, count).Select(i => new Tally(i, i + 0.1, i % 2 == 0 ? double.NaN : -1.0 / 3, double.PositiveInfinity, i * 1e300))];

        int[] late = [.. Enumerable.Range(7, lateCount)];

        var bytes = RoundHeader.Write(wish, late, tallies);
        var read = RoundHeader.Read(bytes);

        Assert.Equal(13 + 4 * lateCount + 40 * count, bytes.Length);
        Assert.Equal(wish, read.Wish);
        Assert.Equal(late, read.Late);
        Assert.Equal(tallies, read.Tallies);
    }

    [Fact]
    public void What_one_rank_wishes_all_do()
    {
        Assert.Equal(new RoundWish(true, 5), new RoundWish(true, 3) | new RoundWish(false, 5));
        Assert.Equal(default, default(RoundWish) | default(RoundWish));
    }

    [Theory, InlineData(0), InlineData(8), InlineData(12), InlineData(14), InlineData(52), InlineData(54)]
    public void Bytes_that_are_no_whole_tallies_are_refused(int length)
    {
        var refused = Assert.Throws<InvalidDataException>(() => RoundHeader.Read(new byte[length]));
        Assert.Contains($"{length} bytes", refused.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(1), InlineData(-1), InlineData(int.MaxValue), InlineData(int.MinValue)]
    public void More_late_leaves_than_there_are_bytes_are_refused(int count)
    {
        var bytes = new byte[13];
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(9), count);
        Assert.Throws<InvalidDataException>(() => RoundHeader.Read(bytes));
    }
}
