using Cluster.Contracts.Jobs;
using Xunit.Abstractions;

namespace Cluster.Tests.Control;

/// <summary>
/// Random events in random order against what must always hold (<see cref="JobInvariants"/>), and then, from wherever that led,
/// workers that do as they are told: the job must end well. A failure prints its seed and step; <see cref="Replay"/> shows it.
/// </summary>
public sealed class JobMachineRandomTests(ITestOutputHelper output)
{
    private const int Sequences = 5000;
    private const int Steps = 60;

    [Fact]
    public void Whatever_happens_the_invariants_hold_and_the_job_can_still_end_well()
    {
        var reached = new Dictionary<JobState, int>();
        var orders = new Dictionary<OrderState, int>();
        var (generations, recoveries) = (0L, 0L);
        for (var seed = 0; seed < Sequences; seed++)
        {
            var end = Run(seed, _ => { });
            reached[end.State] = reached.GetValueOrDefault(end.State) + 1;
            generations += end.Generation;
            recoveries += end.Recoveries;
            foreach (var order in end.Orders) { orders[order.State] = orders.GetValueOrDefault(order.State) + 1; }
        }

        output.WriteLine($"{string.Join(", ", reached.Select(r => $"{r.Value} {r.Key}"))}; {generations} generations, {recoveries} of them lost; orders: {string.Join(", ", orders.Select(o => $"{o.Value} {o.Key}"))}");
        Assert.True(reached.Count >= 7 && generations > 3 * Sequences && recoveries > Sequences && orders is { Count: 3 } && orders.Values.All(count => count > 5), "The run was worth nothing.");
    }

    [Theory, InlineData(1)]
    public void Replay(int seed) => Run(seed, output.WriteLine);

    /// <returns>The state after the random part.</returns>
    private static Grains.Jobs.JobGrainState Run(int seed, Action<string> log)
    {
        var random = new Random(seed);
        var story = random.Next(20) == 0 ? new JobStory()
            : seed % 20 == 0 ? JobStory.WaitingContinual(random.Next(1, 4), max: 5)
            : JobStory.Waiting(random.Next(1, 4), max: 5);
        var invariants = new JobInvariants();
        for (var step = 0; step < Steps; step++)
        {
            var before = story.State;
            var what = RandomJobEvents.Next(random, story);
            log($"{step}: {what} -> {story.State} ({story.Reason})");
            Check(invariants.Broken(before, story, what), step);
        }

        var reached = story.State;
        var workers = new ObedientWorkers(story, random);
        for (var step = Steps; !story.State.State.IsFinal; step++)
        {
            Check(step == Steps + 50 ? "no event leads to an end" : null, step);
            var before = story.State;
            foreach (var what in workers.Beat())
            {
                log($"{step}: {what} works -> {story.State} ({story.Reason})");
                Check(invariants.Broken(before, story, what: null), step);
                before = story.State;
            }
        }

        // What a rank has told already may decide the end.
        var isDoomed = reached.Outcomes.Any(o => o is { State: JobState.Failed } or { WeightsSha256: not null and not "" } && o.WeightsSha256 != Some.Hash);
        var mayEnd = reached.State.IsFinal ? reached.State : reached.State is JobState.Stopping ? JobState.Cancelled : JobState.Succeeded;
        Check(story.State.State == mayEnd || isDoomed || (story.State.State is JobState.Succeeded && !reached.State.IsFinal) ? null : $"it should have ended as {mayEnd}", Steps);
        return reached;

        void Check(string? broken, int step)
        {
            if (broken is not null)
            {
                Assert.Fail($"seed {seed}, step {step}: {broken}: {story.State} ({story.Reason})");
            }
        }
    }
}
