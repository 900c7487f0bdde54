using Cluster.Contracts.Schedules;
using Cluster.Contracts.Spec.Continual;

namespace Cluster.Tests.Schedules;

/// <summary>What must hold of every schedule, whatever its numbers; the values themselves are those of the reference vectors.</summary>
public sealed class TrunkRateTests
{
    private const double Max = 2e-3, Constant = 4e-4, Min = 4e-5;

    private static readonly long[] s_stages = [250, 100, 250];

    /// <summary>Rates meet wherever one piece ends and the next begins, all but where a repeated cosine jumps back by design.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Schedules_are_continuous_at_every_boundary(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 200; i++)
        {
            var (spec, boundaries) = Any(random);
            foreach (var b in boundaries.Where(b => b > 0))
            {
                // A slope of any piece, times a step far below its length.
                const double step = 1e-9, steepest = 1e4;
                var (before, at, after) = (TrunkRate.At(b - step, spec, s_stages), TrunkRate.At(b, spec, s_stages), TrunkRate.At(b + step, spec, s_stages));
                Assert.True(Math.Abs(before - at) < steepest * step && Math.Abs(after - at) < steepest * step, $"seed {seed}, {i}: {before:R}, {at:R}, {after:R} at {b:R} of {spec}");
            }
        }
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void A_longer_trunk_never_changes_a_rate(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 50; i++)
        {
            var (spec, _) = Any(random);
            foreach (var n in Enumerable.Range(0, 601)) { Assert.Equal(TrunkRate.At(n, spec, s_stages), TrunkRate.At(n, spec, [.. s_stages, 70, 1])); }
        }
    }

    [Theory, MemberData(nameof(Tails))]
    public void An_annealing_falls_from_the_fork_to_min_without_a_rise(AnnealTail tail)
    {
        var rates = Enumerable.Range(0, 39).Select(j => Annealing.Rate(j / 38.0, Constant, Min, tail)).ToArray();
        Assert.Equal(Constant, rates[0], 1e-18);
        Assert.Equal(Min, rates[^1]);
        Assert.All(rates.Zip(rates.Skip(1)), pair => Assert.True(pair.First > pair.Second));
        Assert.Equal(Min, Annealing.Rate(1.5, Constant, Min, tail));
    }

    public static TheoryData<AnnealTail> Tails => [.. Enum.GetValues<AnnealTail>()];

    /// <summary>Both spellings of a boundary are the same one.</summary>
    [Fact]
    public void Boundaries_may_be_shares_of_a_length()
    {
        var updates = new RateSpec.Infinite { Max = Max, Constant = Constant, Min = Min, WarmupEnd = 12.5, CooldownEnd = 150, AnnealStart = 212.5, End = 250 };
        var shares = updates with { Of = 250, WarmupEnd = 0.05, CooldownEnd = 0.6, AnnealStart = 0.85, End = 1 };
        Assert.All(Enumerable.Range(0, 260), n => Assert.Equal(TrunkRate.At(n, updates, []), TrunkRate.At(n, shares, []), 1e-17));
    }

    [Fact]
    public void Each_stage_of_a_repeated_cosine_ends_at_min_and_the_next_one_warms_up()
    {
        var spec = new RateSpec.RepeatedCosine { Max = Max, Min = Min, Warmup = 10 };
        foreach (var end in (long[])[250, 350, 600]) { Assert.Equal(Min, TrunkRate.At(end, spec, s_stages)); }
        foreach (var peak in (long[])[10, 260, 360]) { Assert.Equal(Max, TrunkRate.At(peak, spec, s_stages)); }
        Assert.Equal(Max / 10, TrunkRate.At(251, spec, s_stages), 1e-18);
        Assert.Equal(Min, TrunkRate.At(601, spec, s_stages));
    }

    /// <summary>A schedule with its boundaries.</summary>
    private static (RateSpec Spec, double[] Boundaries) Any(Random random)
    {
        double Up(double from) => from + (random.Next(4) == 0 ? 0 : random.NextDouble() * 150);
        var (warmup, cooldown) = (Up(0), 0.0);
        cooldown = Up(warmup);
        var start = Up(cooldown);
        var end = start + 1 + (random.NextDouble() * 100);
        switch (random.Next(5))
        {
            case 0:
                return (new RateSpec.Cosine { Max = Max, Min = Min, WarmupEnd = warmup, End = end }, [warmup, end]);
            case 1:
                return (
                    new RateSpec.WarmupStableDecay { Max = Max, Min = Min, WarmupEnd = warmup, DecayStart = start, End = end, Tail = (AnnealTail)random.Next(3) },
                    [warmup, start, end]);
            case 2:
                // From min to max again: no jump at all.
                warmup = Math.Clamp(warmup, 1, 90);
                return (new RateSpec.RepeatedCosine { Max = Max, Min = Min, Warmup = warmup, RewarmFrom = Min }, [warmup, 250, 250 + warmup, 350, 350 + warmup, 600]);
            case 3:
                return (new RateSpec.ConstantRate { Rate = Max }, [start]);
            default:
                var spec = new RateSpec.Infinite
                {
                    Max = Max, Constant = cooldown > warmup ? Constant : Max, Min = Min, WarmupEnd = warmup, CooldownEnd = cooldown,
                    Cooldown = (CooldownKind)random.Next(3), AnnealStart = start, End = end,
                };
                return (spec, [warmup, cooldown, start, end]);
        }
    }
}
