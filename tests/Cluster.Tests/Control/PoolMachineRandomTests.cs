using Cluster.Contracts.Jobs;
using Cluster.Grains.Pool;
using Xunit.Abstractions;

namespace Cluster.Tests.Control;

/// <summary>
/// Random events in random order against what must always hold (<see cref="PoolInvariants"/>), and then workers for everybody:
/// every job must get what it asked for. A failure prints its seed and step; <see cref="Replay"/> shows it.
/// </summary>
public sealed class PoolMachineRandomTests(ITestOutputHelper output)
{
    private const int Sequences = 5000;
    private const int Steps = 50;

    [Fact]
    public void Whatever_happens_the_invariants_hold_and_every_job_can_still_be_served()
    {
        var grants = 0L;
        for (var seed = 0; seed < Sequences; seed++)
        {
            grants += Run(seed, _ => { });
        }

        output.WriteLine($"{grants} grants");
        Assert.True(grants > 4 * Sequences, "The run was worth nothing.");
    }

    [Theory, InlineData(1)]
    public void Replay(int seed) => Run(seed, output.WriteLine);

    /// <returns>How often a job got other workers.</returns>
    private static int Run(int seed, Action<string> log)
    {
        var random = new Random(seed);
        var (pool, wanted, submitted, grants) = (Pool.Empty, new List<string>(), 0, 0);
        for (var step = 0; step < Steps; step++)
        {
            Take(step, Next());
        }

        for (var i = 0; i < 60; i++)
        {
            pool = PoolMachine.Offer(pool, Some.Worker($"fresh{i}")).Pool;
        }

        Check(Steps, PoolInvariants.Broken(pool, pool, wanted));
        Check(Steps, pool.State.Queue.IsEmpty && pool.State.Placed.All(p => p.Workers.Length == p.MaxWorkers) ? null : "a job is not served though there are workers for all");
        return grants;

        PoolStep Next()
        {
            var worker = Some.Worker($"w{random.Next(8)}", process: 100 + (random.Next(12) == 0 ? random.Next(3) : 0));
            switch (random.Next(20))
            {
                case < 6: return PoolMachine.Offer(pool, worker with { IsLeaving = random.Next(12) == 0 });
                case < 8 when wanted.Count < 10:
                    wanted.Add($"job{submitted++}");
                    var min = random.Next(1, 4);
                    return PoolMachine.Enqueue(pool, wanted[^1], min, min + random.Next(3));
                case < 10 when wanted.Count > 0:
                    var done = wanted[random.Next(wanted.Count)];
                    wanted.Remove(done);
                    return PoolMachine.Release(pool, done);
                case < 12: return PoolMachine.Gone(pool, worker);
                case < 14 when wanted.Count > 0:
                    var unhappy = wanted[random.Next(wanted.Count)];
                    return random.Next(3) == 0 ? PoolMachine.Exclude(pool, unhappy, worker) : PoolMachine.Return(pool, unhappy, worker);
                case 14: return PoolMachine.Drain(pool, worker.Id) ?? new(pool, "unknown");
                case < 17: return PoolMachine.Undrain(pool, worker.Id) ?? new(pool, "unknown");
                case 17 when random.Next(3) == 0: return new(new(pool.State, PoolRoster.Of(pool.State)), "restart");
                case 18 when wanted.Count > 0: return PoolMachine.Enqueue(pool, wanted[0], 1, 1);
                default: return PoolMachine.Offer(pool, worker);
            }
        }

        void Take(int step, PoolStep next)
        {
            log($"{step}: {next.Reason}");
            Check(step, PoolInvariants.Broken(pool, next.Pool, wanted) is { } broken ? $"{broken}: {next.Reason}" : null);
            grants += next.Pool.State.Placed.Count(p => p.GrantVersion > pool.State.Version);
            pool = next.Pool;
        }

        void Check(int step, string? broken)
        {
            if (broken is not null)
            {
                Assert.Fail($"seed {seed}, step {step}: {broken}");
            }
        }
    }
}
