using Cluster.Contracts.Schedules;
using Cluster.Contracts.Spec;

namespace Cluster.Tests.Schedules;

/// <summary>W = 3, T = 7, peak 12, by hand.</summary>
public class ScheduleTests
{
    private static double[] Rates(ScheduleSpec spec, long warmup = 3, long total = 7) =>
        [.. Enumerable.Range(0, (int)total).Select(n => Math.Round(Schedule.Rate(n, warmup, total, 12, spec), 9))];

    [Fact]
    public void Continuous_rises_to_the_peak_and_loses_no_update_to_a_rate_of_zero() =>
        Assert.Equal([4, 8, 12, 12, 9, 6, 3], Rates(new() { Warmup = WarmupConvention.Continuous }));

    [Fact]
    public void From_zero_begins_with_a_rate_of_zero() =>
        Assert.Equal([0, 4, 8, 12, 9, 6, 3], Rates(new() { Warmup = WarmupConvention.FromZero }));

    [Fact]
    public void Independent_jumps_down_after_the_warm_up() =>
        Assert.Equal([0, 3, 6, 9, 12 * (1 - 4 / 8.0), 4.5, 3, 1.5], Rates(new() { Warmup = WarmupConvention.Independent }, warmup: 4, total: 8));

    [Theory]
    [InlineData(DecayKind.Constant, 1, 12, 12)]
    [InlineData(DecayKind.Linear, 1, 6, 3)]
    [InlineData(DecayKind.Polynomial, 2, 3, 0.75)]
    [InlineData(DecayKind.Cosine, 1, 6, 1.757359313)]
    public void Decays_have_their_shape(DecayKind kind, double power, double half, double threeQuarters)
    {
        var rates = Rates(new() { Decay = kind, Power = power }, warmup: 0, total: 4);
        Assert.Equal([12, half, threeQuarters], [rates[0], rates[2], rates[3]]);
    }

    [Fact]
    public void The_final_share_is_where_the_decay_ends()
    {
        var spec = new ScheduleSpec { FinalShare = 0.25 };
        Assert.Equal([12, 9.75, 7.5, 5.25], Rates(spec, warmup: 0, total: 4));
        Assert.Equal(3, Schedule.Rate(4, 0, 4, 12, spec));
        Assert.Equal(3, Schedule.Rate(9, 0, 4, 12, spec));
    }

    [Fact]
    public void A_warm_up_as_long_as_the_stage_never_decays() =>
        Assert.Equal([4, 8, 12], Rates(new(), warmup: 3, total: 3));

    [Theory]
    [InlineData(WarmupConvention.Continuous), InlineData(WarmupConvention.FromZero)]
    public void There_is_no_jump_between_warm_up_and_decay(WarmupConvention convention)
    {
        var rates = Rates(new() { Warmup = convention, Decay = DecayKind.Cosine }, warmup: 100, total: 1000);
        Assert.All(rates.Zip(rates.Skip(1)), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= 0.12 + 1e-9));
    }
}
