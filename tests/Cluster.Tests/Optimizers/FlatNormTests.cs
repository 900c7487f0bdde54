using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;

namespace Cluster.Tests.Optimizers;

public class FlatNormTests
{
    [Theory]
    [InlineData(0), InlineData(1), InlineData(31), InlineData(4096), InlineData(4097), InlineData(300_000)]
    public void It_is_the_sum_of_squares_in_float64(int length)
    {
        using var buffer = Filled(length);
        Assert.Equal(buffer.Span.ToArray().Sum(z => (double)z * z), FlatNorm.SumOfSquares(buffer, length), 1e-12 * length);
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits()
    {
        using var buffer = Filled(1_000_003);
        Assert.Equal(FlatNorm.SumOfSquares(buffer, buffer.Length), FlatNorm.SumOfSquares(buffer, buffer.Length, threads: 3));
    }

    [Fact]
    public void What_lies_behind_the_length_does_not_count()
    {
        using var buffer = Filled(100);
        buffer.Span[99] = float.NaN;
        Assert.True(double.IsFinite(FlatNorm.SumOfSquares(buffer, 99)));
    }

    [Theory]
    [InlineData(float.NaN), InlineData(float.PositiveInfinity), InlineData(float.NegativeInfinity)]
    public void One_number_that_is_not_finite_shows(float value)
    {
        using var buffer = Filled(10_000);
        buffer.Span[7_777] = value;
        Assert.False(double.IsFinite(FlatNorm.SumOfSquares(buffer, buffer.Length)));
    }

    [Fact]
    public void The_largest_floats_do_not_overflow()
    {
        using var buffer = new FlatBuffer(64);
        buffer.Span.Fill(float.MaxValue);
        Assert.True(double.IsFinite(FlatNorm.SumOfSquares(buffer, 64)));
    }

    [Theory]
    [InlineData(0.5, 1, 1), InlineData(1, 1, 1), InlineData(4, 1, 0.25), InlineData(4, 2, 0.5)]
    public void The_clip_divides_by_what_is_above_the_limit(double norm, double limit, double factor) =>
        Assert.Equal(factor, FlatNorm.ClipFactor(norm, limit));

    private static FlatBuffer Filled(int length)
    {
        var random = new SeededRandom(7);
        var buffer = new FlatBuffer(length);
        foreach (ref var value in buffer.Span) { value = (float)(random.NextDouble() - 0.5); }
        return buffer;
    }
}
