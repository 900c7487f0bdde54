using Cluster.Trainer.Core;
using Cluster.Trainer.Rounds;

namespace Cluster.Tests.Rounds;

public sealed class RoundHeaderTests
{
    [Theory, InlineData(true, 0), InlineData(false, 0), InlineData(true, 3), InlineData(false, 20)]
    public void What_is_written_is_read(bool stop, int count)
    {
        Tally[] tallies = [.. Enumerable.Range(0, count).Select(i => new Tally(i, i + 0.1, i % 2 == 0 ? double.NaN : -1.0 / 3, double.PositiveInfinity, i * 1e300))];

        var bytes = RoundHeader.Write(stop, tallies);
        var read = RoundHeader.Read(bytes);

        Assert.Equal(1 + 40 * count, bytes.Length);
        Assert.Equal(stop, read.Stop);
        Assert.Equal(tallies, read.Tallies);
    }

    [Theory, InlineData(0), InlineData(2), InlineData(40), InlineData(42), InlineData(80)]
    public void Bytes_that_are_no_whole_tallies_are_refused(int length)
    {
        var refused = Assert.Throws<InvalidDataException>(() => RoundHeader.Read(new byte[length]));
        Assert.Contains($"{length} bytes", refused.Message, StringComparison.Ordinal);
    }
}
