using Cluster.Trainer.Core.Data;

namespace Cluster.Tests.Data;

public sealed class SampleStreamTests
{
    [Fact]
    public void Every_epoch_has_every_sample_once()
    {
        var stream = new SampleStream(seed: 7, count: 101);
        for (var epoch = 0; epoch < 5; epoch++)
        {
            var samples = Enumerable.Range(0, 101).Select(i => stream.At(epoch * 101L + i)).Order();
            Assert.Equal(Enumerable.Range(0, 101).Select(i => (long)i), samples);
        }
    }

    [Fact]
    public void Epochs_and_seeds_have_orders_of_their_own()
    {
        var a = Read(new SampleStream(1, 500), 0, 500);
        Assert.Equal(a, Read(new SampleStream(1, 500), 0, 500));
        Assert.True(Same(a, Read(new SampleStream(1, 500), 500, 500)) < 10);
        Assert.True(Same(a, Read(new SampleStream(2, 500), 0, 500)) < 10);
    }

    [Theory, InlineData(0, 10), InlineData(5, 30), InlineData(12, 1), InlineData(13, 40), InlineData(1_000_000_007, 27)]
    public void Filling_a_leaf_is_reading_position_by_position(long first, int count)
    {
        var stream = new SampleStream(seed: 3, count: 13);
        Assert.Equal(Enumerable.Range(0, count).Select(i => stream.At(first + i)), Read(stream, first, count));
    }

    [Fact]
    public void A_single_sample_repeats() => Assert.Equal([0, 0, 0], Read(new SampleStream(1, 1), 4, 3));

    [Fact]
    public void Nonsense_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new SampleStream(1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SampleStream(1, 5).At(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SampleStream(1, 5).Fill(-1, new long[2]));
    }

    private static long[] Read(SampleStream stream, long first, int count)
    {
        var samples = new long[count];
        stream.Fill(first, samples);
        return samples;
    }

    private static int Same(long[] a, long[] b) => a.Zip(b).Count(pair => pair.First == pair.Second);
}
