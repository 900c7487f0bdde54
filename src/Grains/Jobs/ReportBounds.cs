using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Jobs;

/// <summary>Reports come from another process: what they say must make sense, and what they carry must fit.</summary>
internal static class ReportBounds
{
    public const int MaxSamples = 2000;
    public const int MaxNotices = 200;
    public const int MaxNoticeLength = 1000;
    public const int MaxReasonLength = 4000;

    /// <summary>Two for each of a hundred evaluation sets, and room for what a method adds.</summary>
    public const int MaxNames = 256;

    /// <summary>A set's name of 63, and what was measured on it.</summary>
    public const int MaxNameLength = 96;
    public const int MaxValueLength = 512;

    /// <summary>Clients of one round.</summary>
    public const int MaxParts = 32;

    /// <summary>The report with everything that grows cut to size: newest samples and notices, names in their order.</summary>
    /// <exception cref="ArgumentException">It says something impossible: the worker has a bug.</exception>
    public static JobReport Bounded(JobReport report)
    {
        if (report is not { Generation: >= 0, Known: >= 0, Round: >= 0, Rounds: >= 0, LeavesComputed: >= 0 } || (report.IsReady && report.Round > report.Rounds))
        {
            throw new ArgumentException($"A report of job {report.JobId} counts below zero or past its last round: {report.Round} of {report.Rounds}.", nameof(report));
        }

        return report with
        {
            Samples = [.. Newest(report.Samples, MaxSamples).Select(Bounded)],
            Checkpoint = report.Checkpoint is { Length: > SubmissionRules.MaxPathLength } ? null : report.Checkpoint,
            Notices = [.. Newest(report.Notices, MaxNotices).Select(n => Names.Cut(n, MaxNoticeLength))],
            Fault = report.Fault is { } fault ? fault with { Reason = Names.Cut(fault.Reason, MaxReasonLength) } : null,
            Outcome = report.Outcome is { } outcome ? Bounded(outcome) : null,
        };
    }

    private static RoundSample Bounded(RoundSample sample) =>
        sample with
        {
            Values = Fitting(sample.Values, _ => true),
            Clients = sample.Clients is { IsDefaultOrEmpty: false } clients
                ? [.. clients.Take(MaxParts).Select(part => part with { Client = Names.Cut(part.Client ?? "", MaxNameLength) })]
                : null,
        };

    private static Outcome Bounded(Outcome outcome)
    {
        if (!outcome.State.IsFinal)
        {
            throw new ArgumentException($"A worker cannot end as {outcome.State}: Succeeded, Failed and Cancelled are allowed.", nameof(outcome));
        }

        if (outcome.WeightsSha256 is { } hash && !Sha256Text.IsValid(hash))
        {
            throw new ArgumentException("The hash of the weights must be 64 lower-case hex digits.", nameof(outcome));
        }

        return outcome with
        {
            Reason = outcome.Reason is { } reason ? Names.Cut(reason, MaxReasonLength) : null,
            Environment = Fitting(outcome.Environment, value => value.Length <= MaxValueLength),
        };
    }

    private static IEnumerable<T> Newest<T>(ImmutableArray<T> items, int count) =>
        items.IsDefaultOrEmpty ? [] : items.Skip(items.Length - count);

    private static ImmutableDictionary<string, T> Fitting<T>(ImmutableDictionary<string, T>? values, Func<T, bool> fits)
    {
        values ??= ImmutableDictionary<string, T>.Empty;
        return values.Count <= MaxNames && values.All(Fits)
            ? values
            : values.Where(Fits).OrderBy(v => v.Key, StringComparer.Ordinal).Take(MaxNames).ToImmutableDictionary();

        bool Fits(KeyValuePair<string, T> value) => value.Key.Length <= MaxNameLength && fits(value.Value);
    }
}
