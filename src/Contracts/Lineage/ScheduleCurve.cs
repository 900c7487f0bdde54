using System.Collections.Immutable;
using Cluster.Contracts.Schedules;
using Cluster.Contracts.Spec.Continual;

namespace Cluster.Contracts.Lineage;

/// <summary>The learning rate of a continual job over its rounds, as its spec plans it: a function of the spec alone.</summary>
/// <param name="Rounds">From 1, rising: at most some 400 of them, and in any case the first and last update of every span.</param>
/// <param name="Rates">Of each of these rounds.</param>
/// <param name="Spans">In order. The rounds between two of them, in which a branch forks or its trunk returns, have no rate.</param>
public sealed record ScheduleCurve(ImmutableArray<long> Rounds, ImmutableArray<double> Rates, ImmutableArray<ScheduleSpan> Spans)
{
    private const int MaxPoints = 400;

    public static ScheduleCurve Of(ContinualSpec spec)
    {
        var plan = ContinualPlan.Of(spec);
        var rates = new ContinualRates(spec, plan);
        var spans = plan.Segments.Select(segment => (Segment: segment, Span: new ScheduleSpan(
            plan.Stages[segment.Stage].Name, segment.Release?.Name,
            segment.FirstRound + (segment.Release is null ? 1 : 2), // A branch begins with its fork.
            segment.Release is { } release ? segment.FirstRound + 1 + release.Updates : segment.EndRound))).ToArray();

        var points = from one in spans
                     from round in Points(one.Span, plan.Rounds)
                     select (Round: round, Rate: one.Segment.Release is { } release
                         ? rates.Branch(release, one.Segment.Update, round - one.Segment.FirstRound - 1)
                         : rates.Trunk(one.Segment.Update + round - one.Segment.FirstRound));
        var all = points.ToArray();
        return new([.. all.Select(point => point.Round)], [.. all.Select(point => point.Rate)], [.. spans.Select(one => one.Span)]);
    }

    /// <summary>Each span has its share, evenly from its first round to its last.</summary>
    private static IEnumerable<long> Points(ScheduleSpan span, long rounds)
    {
        var length = span.Last - span.First + 1;
        var count = Math.Min(length, Math.Max(2, (long)((Int128)MaxPoints * length / rounds)));
        for (var i = 0L; i < count; i++) { yield return count == 1 ? span.Last : span.First + (long)((Int128)(length - 1) * i / (count - 1)); }
    }
}

/// <summary>Updates of the trunk in one stage, or those of a branch.</summary>
/// <param name="Release">Of a branch; null on the trunk.</param>
/// <param name="First">Round of its first update, from 1.</param>
/// <param name="Last">Round of its last one.</param>
public sealed record ScheduleSpan(string Stage, string? Release, long First, long Last);
