using System.Collections.Immutable;
using Cluster.Contracts.Jobs;
using Cluster.Grains.Pool;

namespace Cluster.Tests.Control;

public sealed class PoolMachineTests
{
    [Fact]
    public void A_job_gets_its_workers_all_at_once_in_the_order_they_registered()
    {
        var s = PoolMachine.Enqueue(new(), Some.Workers(1), "job", workers: 2).State;
        Assert.Equal("waits for 2 idle workers: 1 of 1 are idle", PoolMachine.Describe(s, Some.Workers(1), "job"));
        Assert.Empty(s.Placed);

        var step = PoolMachine.Place(s, [Some.Worker("z"), Some.Worker("a"), Some.Worker("b")]);
        Assert.Equal("job job gets z, a", step.Reason);
        Assert.Equal(["z", "a"], PoolMachine.PlacementOf(step.State, "job")!.Workers.Select(w => w.Id));
        Assert.Equal("job", PoolMachine.PlaceOf(step.State, "a").JobId);
        Assert.Null(PoolMachine.PlaceOf(step.State, "b").JobId);
    }

    [Fact]
    public void A_small_job_does_not_overtake_a_large_one()
    {
        var roster = Some.Workers(2);
        var s = PoolMachine.Enqueue(new(), roster, "large", 3).State;
        s = PoolMachine.Enqueue(s, roster, "small", 1).State;

        Assert.Empty(s.Placed);
        Assert.Equal("waits for 1 idle worker, after 1 other job: 2 of 2 are idle", PoolMachine.Describe(s, roster, "small"));
    }

    [Fact]
    public void A_released_jobs_workers_go_to_the_jobs_behind_it()
    {
        var roster = Some.Workers(2);
        var s = new PoolState();
        foreach (var job in new[] { "first", "second", "third" })
        {
            s = PoolMachine.Enqueue(s, roster, job, job == "first" ? 2 : 1).State;
        }

        Assert.Equal(["first"], s.Placed.Select(p => p.JobId));
        s = PoolMachine.Release(s, roster, "first").State;
        Assert.Equal(["second", "third"], s.Placed.Select(p => p.JobId));
        Assert.Empty(s.Queue);
    }

    [Fact]
    public void A_released_job_leaves_the_queue_and_unblocks_it()
    {
        var roster = Some.Workers(1);
        var s = PoolMachine.Enqueue(new(), roster, "large", 5).State;
        s = PoolMachine.Enqueue(s, roster, "small", 1).State;
        s = PoolMachine.Release(s, roster, "large").State;
        Assert.Equal(["small"], s.Placed.Select(p => p.JobId));
    }

    [Fact]
    public void Repeating_what_was_said_changes_nothing()
    {
        var roster = Some.Workers(1);
        var s = PoolMachine.Enqueue(new(), roster, "placed", 1).State;
        s = PoolMachine.Enqueue(s, roster, "queued", 1).State;
        Assert.Same(s, PoolMachine.Enqueue(s, roster, "placed", 1).State);
        Assert.Same(s, PoolMachine.Enqueue(s, roster, "queued", 1).State);
        Assert.Same(s, PoolMachine.Release(s, roster, "unknown").State);
        Assert.Same(s, PoolMachine.Place(s, roster).State);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Whatever_happens_no_worker_serves_two_jobs_and_nobody_overtakes(int seed)
    {
        const int steps = 5000;
        var random = new Random(seed);
        var roster = ImmutableArray<WorkerInfo>.Empty;
        var (s, submitted, placed) = (new PoolState(), 0, 0);
        for (var step = 0; step < steps; step++)
        {
            var next = random.Next(8) switch
            {
                0 when roster.Length < 12 => PoolMachine.Place(s, roster = roster.Add(Some.Worker($"w{roster.Length}"))),
                < 3 => PoolMachine.Enqueue(s, roster, $"job{submitted++:d5}", random.Next(1, 6)),
                < 6 => PoolMachine.Release(s, roster, Pick(random, s.Placed.Select(p => p.JobId))),
                6 when random.Next(8) == 0 => PoolMachine.Release(s, roster, Pick(random, s.Queue.Select(q => q.JobId))),
                _ when s.Placed is [var known, ..] => PoolMachine.Enqueue(s, roster, known.JobId, 1),
                _ => PoolMachine.Place(s, roster),
            };
            var busy = next.State.Placed.SelectMany(p => p.Workers).Select(w => w.Id).ToArray();
            Must(busy.Distinct().Count() == busy.Length, "a worker serves two jobs");
            Must(next.State.Queue.Select(q => q.JobId).SequenceEqual(next.State.Queue.Select(q => q.JobId).Order(StringComparer.Ordinal)), "the queue is out of order");
            Must(next.State.Version > s.Version || ReferenceEquals(next.State, s), "a change kept the version");
            Must(next.State.Queue is not [var head, ..] || PoolMachine.Idle(next.State, roster).Length < head.Workers, "the head of the queue could run");
            foreach (var job in next.State.Placed.Where(p => PoolMachine.PlacementOf(s, p.JobId) is null))
            {
                Must(next.State.Queue.All(q => string.CompareOrdinal(q.JobId, job.JobId) > 0), $"{job.JobId} overtook another");
                placed++;
            }

            s = next.State;

            void Must(bool holds, string broken)
            {
                if (!holds)
                {
                    Assert.Fail($"seed {seed}, step {step}: {broken}: {next.Reason}");
                }
            }
        }

        Assert.InRange(placed, 200, steps); // The run was worth something.
    }

    /// <summary>One of the jobs; a name that no job has when there are none.</summary>
    private static string Pick(Random random, IEnumerable<string> jobs) => jobs.ToArray() is { Length: > 0 } all ? all[random.Next(all.Length)] : "none";
}
