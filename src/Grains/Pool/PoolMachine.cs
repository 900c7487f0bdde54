using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Pool;

/// <summary>A pool: what it must not forget, and who is there.</summary>
internal sealed record Pool(PoolState State, PoolRoster Roster)
{
    public static Pool Empty { get; } = new(new(), new());
}

/// <summary>The next pool and why, in words. The same instance means that nothing changed.</summary>
internal readonly record struct PoolStep(Pool Pool, string Reason);

/// <summary>
/// The decisions of a pool, as functions of what it is and of what happened: no clock, no chance, no I/O.
/// </summary>
/// <remarks>
/// First come, first served. The job at the head of the queue gets its minimum of workers all at once when so many are idle,
/// and jobs behind it wait even if they would fit, so that a large job is never starved by small ones. What a job has it
/// keeps: it grows while workers are idle and nobody waits, and is filled up to its minimum before anybody else gets one. A
/// site's worker is for the jobs that name the site: the first of them that has workers gets it at once, whatever its maximum.
/// </remarks>
internal static class PoolMachine
{
    /// <summary>A worker is there.</summary>
    public static PoolStep Offer(Pool p, WorkerInfo worker)
    {
        var known = p.Roster.Find(worker.Id);
        if (known?.Worker == worker)
        {
            return new(p, $"worker {worker.Id} is known");
        }

        if (known is null || !known.Worker.IsSameProcess(worker))
        {
            var left = known is null ? p : TakeFromItsJob(p, worker.Id);
            return Place(new(left with { Roster = left.Roster.Without(worker.Id).With(worker, jobId: null, left.State.Draining) }, $"worker {worker.Id} is here"));
        }

        var updated = p with { Roster = p.Roster.With(worker, known.JobId, p.State.Draining) };
        return Place(new(worker.IsLeaving ? TakeFromItsJob(updated, worker.Id) : updated, $"worker {worker.Id} {(worker.IsLeaving ? "is leaving" : "has changed")}"));
    }

    /// <summary>The worker is dead, as far as its lease tells.</summary>
    public static PoolStep Gone(Pool p, WorkerInfo worker) => p.Roster.Find(worker.Id) is { } known && known.Worker.IsSameProcess(worker)
        ? Remove(p, worker, $"worker {worker.Id} is gone")
        : new(p, $"worker {worker.Id} is not here");

    /// <summary>The worker is dead, as far as its job can tell. Another job's worker stays.</summary>
    public static PoolStep Return(Pool p, string jobId, WorkerInfo worker) =>
        p.Roster.Find(worker.Id) is { } known && known.Worker.IsSameProcess(worker) && known.JobId == jobId
            ? Remove(p, worker, $"job {jobId} lost worker {worker.Id}")
            : new(p, $"job {jobId} has no worker {worker.Id}");

    /// <summary>The job cannot use the worker, which lives: it is free for others.</summary>
    public static PoolStep Exclude(Pool p, string jobId, WorkerInfo worker)
    {
        if (p.State.Find(jobId) is not { } known || !known.CanUse(worker))
        {
            return new(p, $"job {jobId} does without {worker.Id} already");
        }

        var isIts = known.Workers.Any(worker.IsSameProcess);
        var left = isIts ? TakeFromItsJob(p, worker.Id) : p with { State = p.State with { Version = p.State.Version + 1 } };
        var job = left.State.Find(jobId)!;
        return Place(new(left with { State = Replace(left.State, job, job with { Excluded = job.Excluded.Add(worker) }) }, $"job {jobId} cannot use worker {worker.Id}"));
    }

    public static PoolStep Enqueue(Pool p, string jobId, int minWorkers, int maxWorkers, ImmutableArray<string> sites = default)
    {
        var s = p.State;
        return s.Find(jobId) is not null
            ? new(p, $"job {jobId} is known")
            : Place(new(
                p with { State = s with { Version = s.Version + 1, Queue = s.Queue.Add(new(jobId, minWorkers, maxWorkers, Ticket: s.Version + 1, [], s.Version + 1) { Sites = sites.IsDefault ? [] : sites }) } },
                $"job {jobId} queues for {minWorkers} to {maxWorkers} workers"));
    }

    /// <summary>The job leaves, from wherever it is, and the next ones move up.</summary>
    public static PoolStep Release(Pool p, string jobId)
    {
        if (p.State.Find(jobId) is not { } job)
        {
            return new(p, $"job {jobId} is not here");
        }

        var roster = job.Workers.Aggregate(p.Roster, (r, w) => r.With(r.Find(w.Id)!.Worker, jobId: null, p.State.Draining));
        return Place(new(new(p.State with { Version = p.State.Version + 1, Queue = p.State.Queue.Remove(job), Placed = p.State.Placed.Remove(job) }, roster), $"job {jobId} leaves"));
    }

    /// <summary>Null when no such worker is known; so for <see cref="Undrain"/>.</summary>
    public static PoolStep? Drain(Pool p, string workerId) => p.Roster.Find(workerId) is not { } known ? null
        : p.State.Draining.Contains(workerId) ? new(p, $"worker {workerId} is drained already")
        : Place(new(TakeFromItsJob(WithDraining(p, p.State.Draining.Add(workerId), known), workerId), $"worker {workerId} is drained"));

    public static PoolStep? Undrain(Pool p, string workerId) => (p.State.Draining.Contains(workerId), p.Roster.Find(workerId)) switch
    {
        (false, null) => null,
        (false, _) => new(p, $"worker {workerId} is not drained"),
        (true, var known) => Place(new(WithDraining(p, p.State.Draining.Remove(workerId), known), $"worker {workerId} may serve again")),
    };

    /// <summary>Where a worker serves.</summary>
    public static WorkerPlace PlaceOf(Pool p, string workerId) => new(p.Roster.Find(workerId)?.JobId, p.State.Version);

    /// <summary>Where a job stands, in words for the person who waits for it.</summary>
    public static string Describe(Pool p, string jobId)
    {
        var queue = p.State.Queue;
        for (var i = 0; i < queue.Length; i++)
        {
            if (queue[i].JobId == jobId)
            {
                var before = i == 0 ? "" : $", after {i} other {(i == 1 ? "job" : "jobs")}";
                return $"waits for {Workers(queue[i].MinWorkers, "idle ")}{before}: {p.Roster.IdleCount} of {p.Roster.Count} are idle{(queue[i].Excluded.IsEmpty ? "" : $"; it cannot use {string.Join(", ", queue[i].Excluded.Select(w => w.Id))}")}";
            }
        }

        return p.State.Find(jobId) is { } placed ? $"has {Workers(placed.Workers.Length)}" : "is not in the pool";
    }

    /// <summary>Gives idle workers to jobs, as the remarks above say. Called after every event.</summary>
    private static PoolStep Place(PoolStep step)
    {
        var (p, reasons) = (step.Pool, new List<string> { step.Reason });
        foreach (var job in p.State.Placed.Where(j => j.Workers.Length < j.MinWorkers))
        {
            Give(job, job.MinWorkers - job.Workers.Length);
        }

        while (p.State.Queue is [var head, ..] && p.Roster.IdleCount >= head.MinWorkers && p.Roster.FirstIdle(head, head.MinWorkers).Length == head.MinWorkers)
        {
            Give(head, head.MinWorkers);
        }

        foreach (var job in p.State.Placed)
        {
            Take(job, p.Roster.AtSites(job));
        }

        foreach (var job in p.State.Queue.IsEmpty ? p.State.Placed.Where(j => j.Ordinary < j.MaxWorkers) : [])
        {
            Give(job, job.MaxWorkers - job.Ordinary);
        }

        return new(p, string.Join("; ", reasons));

        void Give(PoolJob job, int count) => Take(job, p.Roster.FirstIdle(job, count));

        void Take(PoolJob job, ImmutableArray<WorkerInfo> idle)
        {
            if (!idle.IsEmpty)
            {
                p = WithWorkers(p, job, [.. job.Workers, .. idle], idle.Aggregate(p.Roster, (r, w) => r.With(w, job.JobId, p.State.Draining)));
                reasons.Add($"job {job.JobId} gets {string.Join(", ", idle.Select(w => w.Id))}");
            }
        }
    }

    private static PoolStep Remove(Pool p, WorkerInfo worker, string why)
    {
        var left = TakeFromItsJob(p, worker.Id);
        return Place(new(left with { Roster = left.Roster.Without(worker.Id) }, why));
    }

    private static Pool TakeFromItsJob(Pool p, string workerId)
    {
        var known = p.Roster.Find(workerId)!;
        return known.JobId is { } jobId && p.State.Find(jobId) is { } job
            ? WithWorkers(p, job, job.Workers.RemoveAll(w => w.Id == workerId), p.Roster.With(known.Worker, jobId: null, p.State.Draining))
            : p;
    }

    /// <summary>The job with another grant: in the place that it has, or, with the first workers or none, at the place that it gets.</summary>
    private static Pool WithWorkers(Pool p, PoolJob job, ImmutableArray<WorkerInfo> workers, PoolRoster roster)
    {
        var s = p.State with { Version = p.State.Version + 1 };
        var next = job with { Workers = workers, GrantVersion = s.Version };
        s = (job.Workers.IsEmpty, workers.IsEmpty) switch
        {
            (true, false) => s with { Queue = s.Queue.Remove(job), Placed = s.Placed.Add(next) },
            (false, true) => s with { Queue = s.Queue.Insert(s.Queue.Count(q => q.Ticket < job.Ticket), next), Placed = s.Placed.Remove(job) },
            _ => s with { Placed = s.Placed.Replace(job, next) },
        };
        return new(s, roster);
    }

    private static Pool WithDraining(Pool p, ImmutableHashSet<string> draining, PoolRoster.Present? worker) => new(
        p.State with { Version = p.State.Version + 1, Draining = draining },
        worker is null ? p.Roster : p.Roster.With(worker.Worker, worker.JobId, draining));

    private static PoolState Replace(PoolState s, PoolJob job, PoolJob next) => s.Queue.Contains(job)
        ? s with { Queue = s.Queue.Replace(job, next) }
        : s with { Placed = s.Placed.Replace(job, next) };

    private static string Workers(int count, string kind = "") => $"{count} {kind}{(count == 1 ? "worker" : "workers")}";
}
