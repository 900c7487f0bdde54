using Cluster.Contracts.Jobs;
using Cluster.Grains.Jobs;

namespace Cluster.Tests.Control;

/// <summary>Random events in random order against what must always hold. A failure prints its seed and step, and replays.</summary>
public sealed class JobMachineRandomTests
{
    private const int Steps = 5000;

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Whatever_happens_final_states_hold_counts_never_go_back_and_success_is_earned(int seed)
    {
        var random = new Random(seed);
        var reached = new HashSet<JobState>();
        var (s, progress) = (new JobGrainState(), new JobProgress());
        for (var step = 0; step < Steps; step++)
        {
            if (s.State.IsFinal && random.Next(20) == 0)
            {
                (s, progress) = (new(), new()); // The next job.
            }

            var (generation, round) = (s.Generation, progress.Round);
            var next = RandomEvent(random, s, progress);

            Must(next.State.Generation >= generation, "the generation went back");
            Must(progress.Round >= round, "the round went back");
            Must(!s.State.IsFinal || ReferenceEquals(next.State, s), "a final state changed");
            Must(next.State.State >= s.State, "the state went back");
            Must(next.Reason.Length > 0, "no reason was given");
            Must(next.State.State is not JobState.Succeeded || IsEarned(next.State), "success was not earned");
            Must(next.State.State is not JobState.Cancelled || next.State.Members.IsEmpty || next.State.Outcomes.All(o => o is not null), "cancelled with a rank at work");
            Must(RanksAtWork(next.State).SequenceEqual(Enumerable.Range(0, next.State.State is JobState.Running or JobState.Stopping ? next.State.Members.Length : 0)), "a wrong worker is at work");
            s = next.State;
            reached.Add(s.State);

            void Must(bool holds, string broken)
            {
                if (!holds)
                {
                    Assert.Fail($"seed {seed}, step {step}: {broken}: {s} -> {next.State} ({next.Reason})");
                }
            }
        }

        Assert.Equal(Enum.GetValues<JobState>().ToHashSet().Where(x => x != JobState.Unknown), reached.Where(x => x != JobState.Unknown).Order()); // The run was worth something.
    }

    private static JobStep RandomEvent(Random random, JobGrainState s, JobProgress progress)
    {
        switch (random.Next(20))
        {
            case 0: return JobMachine.Submit(s, Some.Submission(random.Next(1, 4)));
            case 1: return JobMachine.Grant(s, Some.Workers(random.Next(1, 4)), Some.Secret);
            case 2 when random.Next(4) == 0: return JobMachine.Stop(s, "stop");
            case 3 when random.Next(8) == 0: return JobMachine.Fail(s, "fail");
            default:
                var outcome = random.Next(40) switch
                {
                    < 6 => Some.Succeeded(),
                    6 => Some.Succeeded(Some.OtherHash),
                    7 => Some.Failed("reason"),
                    < 11 when s.State is JobState.Stopping => Some.Cancelled(),
                    _ => null,
                };
                var rank = random.Next(4);
                var report = Some.Report("job", rank, round: random.Next(100), generation: random.Next(3), outcome, Some.Sample(random.Next(100), random.Next(1000)));
                if (!JobMachine.IsCurrent(s, $"w{random.Next(4)}", report))
                {
                    return new(s, "a stranger's report");
                }

                progress.Absorb(report);
                return outcome is null ? new(s, "progress") : JobMachine.End(s, rank, outcome);
        }
    }

    private static bool IsEarned(JobGrainState s) =>
        s.Outcomes.Length == s.Submission!.Workers && s.Outcomes.All(o => o is { State: JobState.Succeeded, WeightsSha256: { } hash } && hash == s.Outcomes[0]!.WeightsSha256);

    private static IEnumerable<int> RanksAtWork(JobGrainState s) =>
        Enumerable.Range(0, 4).Select(i => JobMachine.DirectiveFor(s, "job", $"w{i}")).OfType<Directive.Train>().Select(t => t.Assignment.Rank).Order();
}
