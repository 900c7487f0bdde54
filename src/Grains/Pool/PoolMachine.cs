using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Pool;

/// <summary>
/// The decisions of a pool, as functions of its state and of the workers that are there (<c>roster</c>, in the order in
/// which they registered): no clock, no chance, no I/O.
/// </summary>
/// <remarks>
/// Gang placement, first come first served: the job at the head gets its workers all at once when enough are idle, and
/// jobs behind it wait even if they would fit, so that a large job is never starved by small ones.
/// </remarks>
internal static class PoolMachine
{
    /// <summary>Places every job at the head of the queue that fits. Called when a worker has come.</summary>
    public static PoolStep Place(PoolState s, ImmutableArray<WorkerInfo> roster)
    {
        var reasons = new List<string>();
        while (s.Queue is [var head, ..] && Idle(s, roster) is var idle && idle.Length >= head.Workers)
        {
            s = s with
            {
                Version = s.Version + 1,
                Queue = s.Queue.RemoveAt(0),
                Placed = s.Placed.Add(new(head.JobId, idle[..head.Workers])),
            };
            reasons.Add($"job {head.JobId} gets {string.Join(", ", idle[..head.Workers].Select(w => w.Id))}");
        }

        return new(s, reasons is [] ? "nothing to place" : string.Join("; ", reasons));
    }

    public static PoolStep Enqueue(PoolState s, ImmutableArray<WorkerInfo> roster, string jobId, int workers)
    {
        if (s.Queue.Any(q => q.JobId == jobId) || PlacementOf(s, jobId) is not null)
        {
            return new(s, $"job {jobId} is known");
        }

        var queued = s with { Version = s.Version + 1, Queue = s.Queue.Add(new(jobId, workers)) };
        return Then($"job {jobId} queues for {workers}", Place(queued, roster));
    }

    /// <summary>The job leaves, from wherever it is, and the next ones move up.</summary>
    public static PoolStep Release(PoolState s, ImmutableArray<WorkerInfo> roster, string jobId)
    {
        var left = s with
        {
            Version = s.Version + 1,
            Queue = s.Queue.RemoveAll(q => q.JobId == jobId),
            Placed = s.Placed.RemoveAll(p => p.JobId == jobId),
        };
        return left.Queue.Length == s.Queue.Length && left.Placed.Length == s.Placed.Length
            ? new(s, $"job {jobId} is not here")
            : Then($"job {jobId} leaves", Place(left, roster));
    }

    public static PlacedJob? PlacementOf(PoolState s, string jobId) => s.Placed.FirstOrDefault(p => p.JobId == jobId);

    /// <summary>Where a worker serves in this state.</summary>
    public static WorkerPlace PlaceOf(PoolState s, string workerId) =>
        new(s.Placed.FirstOrDefault(p => p.Workers.Any(w => w.Id == workerId))?.JobId, s.Version);

    public static ImmutableArray<WorkerInfo> Idle(PoolState s, ImmutableArray<WorkerInfo> roster)
    {
        var busy = s.Placed.SelectMany(p => p.Workers).Select(w => w.Id).ToHashSet();
        return [.. roster.Where(w => !busy.Contains(w.Id))];
    }

    /// <summary>Where a job stands, in words for the person who waits for it.</summary>
    public static string Describe(PoolState s, ImmutableArray<WorkerInfo> roster, string jobId)
    {
        for (var i = 0; i < s.Queue.Length; i++)
        {
            if (s.Queue[i].JobId == jobId)
            {
                var before = i == 0 ? "" : $", after {i} other {(i == 1 ? "job" : "jobs")}";
                return $"waits for {s.Queue[i].Workers} idle {(s.Queue[i].Workers == 1 ? "worker" : "workers")}{before}: {Idle(s, roster).Length} of {roster.Length} are idle";
            }
        }

        return PlacementOf(s, jobId) is { } placed ? $"has {placed.Workers.Length} workers" : "is not in the pool";
    }

    private static PoolStep Then(string reason, PoolStep next) => next with { Reason = $"{reason}; {next.Reason}" };
}
