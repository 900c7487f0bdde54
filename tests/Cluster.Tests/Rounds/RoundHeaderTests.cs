using System.Text;
using Cluster.Trainer.Core;
using Cluster.Trainer.Rounds;

namespace Cluster.Tests.Rounds;

public sealed class RoundHeaderTests
{
    [Theory, InlineData(true, 0, 0, null), InlineData(false, 7, 0, "no answer"), InlineData(true, long.MaxValue, 3, "µ"), InlineData(false, 1, 20, null)]
    public void What_is_written_is_read(bool stop, long generation, int count, string? trouble)
    {
        var wish = new RoundWish(stop, generation);
        Tally[] tallies = [.. Enumerable.Range(0, count).Select(i => new Tally(i, i + 0.1, i % 2 == 0 ? double.NaN : -1.0 / 3, double.PositiveInfinity, i * 1e300))];

        var bytes = RoundHeader.Write(wish, tallies, trouble);
        var read = RoundHeader.Read(bytes);

        Assert.Equal(11 + Encoding.UTF8.GetByteCount(trouble ?? "") + 40 * count, bytes.Length);
        Assert.Equal(wish, read.Wish);
        Assert.Equal(trouble, read.Trouble);
        Assert.Equal(tallies, read.Tallies);
    }

    /// <summary>However long the words are, the header fits into a gather; no character is cut in two.</summary>
    [Fact]
    public void Long_words_are_cut_off()
    {
        var read = RoundHeader.Read(RoundHeader.Write(default, [], "a" + new string('µ', 5_000)));
        Assert.Equal("a" + new string('µ', 999), read.Trouble);
    }

    [Fact]
    public void What_one_rank_wishes_all_do()
    {
        Assert.Equal(new RoundWish(true, 5), new RoundWish(true, 3) | new RoundWish(false, 5));
        Assert.Equal(default, default(RoundWish) | default(RoundWish));
    }

    [Theory, InlineData(0), InlineData(10), InlineData(12), InlineData(43), InlineData(50), InlineData(52)]
    public void Bytes_that_are_no_whole_tallies_are_refused(int length)
    {
        var refused = Assert.Throws<InvalidDataException>(() => RoundHeader.Read(new byte[length]));
        Assert.Contains($"{length} bytes", refused.Message, StringComparison.Ordinal);
    }
}
