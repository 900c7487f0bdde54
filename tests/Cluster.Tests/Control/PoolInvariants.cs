using Cluster.Grains.Pool;

namespace Cluster.Tests.Control;

/// <summary>What must hold of a pool after every event, and between what was before it and what is after.</summary>
internal static class PoolInvariants
{
    /// <param name="wanted">Jobs that asked and have not been released.</param>
    /// <returns>The first that does not hold, in words; null when all do.</returns>
    public static string? Broken(Pool before, Pool now, IReadOnlyCollection<string> wanted) =>
        OfJobs(now, wanted) ?? OfWorkers(now) ?? OfService(now) ?? OfChanges(before, now);

    private static string? OfJobs(Pool now, IReadOnlyCollection<string> wanted)
    {
        var (queue, placed) = (now.State.Queue, now.State.Placed);
        return queue.Length + placed.Length != wanted.Count || wanted.Any(w => now.State.Find(w) is null) ? "a job was lost, or is there twice"
            : !queue.Select(q => q.Ticket).SequenceEqual(queue.Select(q => q.Ticket).Order()) ? "the queue is out of order"
            : queue.Any(q => !q.Workers.IsEmpty) ? "a job in the queue has workers"
            : placed.Any(p => !p.Workers.All(p.CanUse)) ? "a job has a worker that it cannot use"
            : placed.Any(p => p.Workers.IsEmpty || p.Workers.Length > p.MaxWorkers) ? "a placed job has no workers, or more than it wanted"
            : null;
    }

    private static string? OfWorkers(Pool now)
    {
        var serving = now.State.Placed.SelectMany(p => p.Workers.Select(w => (w.Id, p.JobId))).ToArray();
        var present = now.Roster.Workers.ToArray();
        var idle = now.Roster.FirstIdle(new("whoever", 1, 1, 0, [], 0), int.MaxValue).Select(w => w.Id).ToHashSet();
        return serving.Select(s => s.Id).Distinct().Count() != serving.Length ? "a worker serves two jobs"
            : serving.Length != present.Count(w => w.JobId is not null) || serving.Any(s => now.Roster.Find(s.Id)?.JobId != s.JobId) ? "the roster does not say what the jobs have"
            : serving.Any(s => now.State.Draining.Contains(s.Id) || now.Roster.Find(s.Id)!.Worker.IsLeaving) ? "a job has a worker that is drained or leaving"
            : serving.Any(s => idle.Contains(s.Id)) ? "a worker is idle and serves"
            : idle.Count + serving.Length + present.Count(w => w.JobId is null && (w.Worker.IsLeaving || now.State.Draining.Contains(w.Worker.Id))) != now.Roster.Count ? "a worker neither serves nor is idle"
            : null;
    }

    /// <summary>First come, first served, and nobody waits for nothing.</summary>
    private static string? OfService(Pool now)
    {
        bool Finds(PoolJob job, int count) => now.Roster.FirstIdle(job, count).Length == count;
        return now.State.Placed.Any(p => p.Workers.Length < p.MinWorkers && Finds(p, 1)) ? "a job lacks workers that are idle"
            : now.State.Queue is [var head, ..] && Finds(head, head.MinWorkers) ? "the head of the queue could run"
            : now.State.Queue.IsEmpty && now.State.Placed.Any(p => p.Workers.Length < p.MaxWorkers && Finds(p, 1)) ? "a job could grow"
            : null;
    }

    private static string? OfChanges(Pool before, Pool now)
    {
        if (ReferenceEquals(before.State, now.State))
        {
            return null;
        }

        if (now.State.Version <= before.State.Version)
        {
            return "a change kept the version";
        }

        foreach (var job in now.State.Placed.Concat(now.State.Queue))
        {
            var was = before.State.Find(job.JobId);
            var isSame = was is not null && was.Workers.SequenceEqual(job.Workers);
            if (isSame ? was!.GrantVersion > job.GrantVersion : was is not null && job.GrantVersion <= was.GrantVersion)
            {
                return $"{job.JobId} got other workers without a newer version";
            }

            if (was is { Workers.IsEmpty: true } && !job.Workers.IsEmpty && now.State.Queue.Any(q => q.Ticket < job.Ticket))
            {
                return $"{job.JobId} overtook another";
            }

            if (!now.State.Queue.IsEmpty && job.Workers.Length > Math.Max(job.MinWorkers, was?.Workers.Length ?? 0))
            {
                return $"{job.JobId} grew while another waits";
            }
        }

        return null;
    }
}
