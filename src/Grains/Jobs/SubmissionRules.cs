using System.Text;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Telemetry;

namespace Cluster.Grains.Jobs;

/// <summary>Which submissions a job takes. The spec itself was checked before it came here.</summary>
internal static class SubmissionRules
{
    public const int MaxSpecBytes = 1 << 20;
    public const int MaxWorkers = 1024;
    public const int MaxPathLength = 4096;
    public const int MaxDataRoots = 64;

    /// <summary>Why the job cannot be taken, in words; null when it can, or was already.</summary>
    public static string? Refusal(JobGrainState s, string jobId, JobSubmission submission)
    {
        if (!Names.IsId(jobId))
        {
            return $"job id '{Names.Cut(jobId, Names.MaxLength)}' is not allowed: {Names.Rule}";
        }

        if (Encoding.UTF8.GetByteCount(submission.SpecText) is var bytes and > MaxSpecBytes)
        {
            return $"the spec has {bytes} bytes: at most {MaxSpecBytes} are allowed";
        }

        if (submission.SpecHash is not { Length: > 0 and <= Names.MaxLength })
        {
            return $"the spec's hash has {submission.SpecHash.Length} characters: 1 to {Names.MaxLength} are allowed";
        }

        if (submission.Directory is not { Length: > 0 and <= MaxPathLength })
        {
            return $"the job's folder has {submission.Directory.Length} characters: 1 to {MaxPathLength} are allowed";
        }

        if (submission.DataRoots.IsDefault || submission.DataRoots.Length > MaxDataRoots || submission.DataRoots.Any(r => r.Length > MaxPathLength))
        {
            return $"at most {MaxDataRoots} data folders of at most {MaxPathLength} characters are allowed";
        }

        if (submission.MinWorkers is < 1 or > MaxWorkers || submission.MaxWorkers > MaxWorkers || submission.MinWorkers > submission.MaxWorkers)
        {
            return $"{submission.MinWorkers} to {submission.MaxWorkers} workers are asked for: 1 to {MaxWorkers} are allowed, and the first number may not be the larger one";
        }

        if (submission.Sites.IsDefault || submission.Sites.Length > MaxWorkers || submission.Sites.Any(site => !Names.IsId(site)))
        {
            return $"at most {MaxWorkers} sites are allowed, each named by {Names.Rule}";
        }

        if (submission.TraceParent is { Length: not TraceLink.Length })
        {
            return $"the submission's trace has {submission.TraceParent.Length} characters: a traceparent has {TraceLink.Length}";
        }

        return s.Submission is { } before && !Same(before, submission)
            ? $"job {jobId} was submitted before with another spec, folder or number of workers: choose another id"
            : null;
    }

    /// <summary>Record equality compares an immutable array by reference; here its elements count. Each try has a trace of its own.</summary>
    private static bool Same(JobSubmission a, JobSubmission b) =>
        a == b with { DataRoots = a.DataRoots, Sites = a.Sites, Orders = a.Orders, TraceParent = a.TraceParent } && a.DataRoots.SequenceEqual(b.DataRoots) && a.Sites.SequenceEqual(b.Sites);
}
