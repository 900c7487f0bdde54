using System.Collections.Immutable;
using Cluster.Contracts.Jobs;
using Cluster.Grains.Jobs;

namespace Cluster.Tests.Control;

/// <summary>A job and what happens to it, in the words of a test. Workers are named; each is process 100 unless said otherwise.</summary>
internal sealed class JobStory
{
    private long _version;

    public JobGrainState State { get; set; } = new();

    public string Reason { get; private set; } = "";

    public string? Refusal { get; private set; }

    /// <summary>Rounds committed.</summary>
    public long Round { get; set; }

    public string[] Members => [.. State.Members.Select(m => m.Id)];

    public static JobStory Waiting(int workers = 2, int? max = null) => new JobStory().Submit(workers, max);

    /// <summary>A continual job: stage a of 40 updates with a release of 5 at its end.</summary>
    public static JobStory WaitingContinual(int workers = 2, int? max = null)
    {
        var story = new JobStory();
        return story.Then(JobMachine.Submit(story.State, Some.Continual(workers, max), DateTime.UnixEpoch));
    }

    public static JobStory RunningContinual(int workers) => WaitingContinual(workers, 10).Grant(Some.Workers(workers)).AllReady().AllArrive();

    /// <summary>In generation 1, which all members have taken up.</summary>
    public static JobStory Running(int workers) => Waiting(workers, 10).Grant(Some.Workers(workers)).AllReady().AllArrive();

    public JobStory Submit(int workers = 2, int? max = null) => Then(JobMachine.Submit(State, Some.Submission(workers, max), DateTime.UnixEpoch));

    public JobStory Grant(params string[] ids) => Grant(Some.Workers(ids));

    public JobStory Grant(ImmutableArray<WorkerInfo> workers, long? version = null) =>
        Then(JobMachine.Grant(State, workers, version ?? ++_version, Round));

    public JobStory AllReady() => Ready([.. State.Granted.Where(g => State.RankOf(g) < 0).Select(g => g.Id)]);

    public JobStory Ready(params string[] ids) => Each(ids, id => Hear(id, Says(generation: 0)));

    public JobStory AllArrive() => Arrive(Members);

    public JobStory Arrive(params string[] ids) => Each(ids, id => Hear(id, Says(State.Generation)));

    public JobStory Fault(string id, string? lost, long? generation = null) =>
        Hear(id, Says(generation ?? State.Generation) with { Fault = new(lost, "closed its connection") });

    public JobStory AllEnd(Outcome outcome) => Each(Members, id => State.State.IsActive ? End(id, outcome) : this);

    public JobStory End(string id, Outcome outcome, long? generation = null) => Hear(id, Says(generation ?? State.Generation) with { Outcome = outcome });

    public JobStory Hear(string id, JobReport? report = null) => Then(JobMachine.Hear(State, Worker(id), report, Round));

    public JobStory Silent(params string[] ids) => Then(JobMachine.Silent(State, [.. ids.Select(Worker)], Round));

    public JobStory GraceEnds() => Then(JobMachine.GiveUpSuspects(State, Round));

    public JobStory Stop(string reason = "the user asked") => Then(JobMachine.Stop(State, reason));

    public JobStory Pause(string reason = "the user asked") => Then(JobMachine.Pause(State, reason));

    public JobStory Resume() => Then(JobMachine.Resume(State, Round));

    public JobStory Append(string stage) => Then(Grains.Jobs.Orders.Accept(State, OrderKind.Append, stage, ["/more"], DateTime.UnixEpoch, Round));

    public JobStory Release(string release) => Then(Grains.Jobs.Orders.Accept(State, OrderKind.Release, release, [], DateTime.UnixEpoch, Round));

    /// <summary>All ranks end at the checkpoint that they were told to end at.</summary>
    public JobStory AllStop() => AllEnd(Some.Cancelled());

    /// <summary>A ready worker that holds the job as it is now.</summary>
    public JobReport Says(long generation) => Some.Report("job", Round, generation) with { Version = State.Effective?.Version ?? 0 };

    public JobStory Fail(string reason) => Then(JobMachine.Fail(State, reason));

    public Directive DirectiveFor(string id, JobReport? report = null) => JobDirectives.For(State, "job", Worker(id), report, absorbedRound: 0, storedRound: 0);

    /// <summary>The worker of that name as the job knows it.</summary>
    public WorkerInfo Worker(string id) => State.Workers.FirstOrDefault(w => w.Id == id) ?? Some.Worker(id);

    private JobStory Each(IEnumerable<string> ids, Func<string, JobStory> act)
    {
        foreach (var id in ids)
        {
            act(id);
        }

        return this;
    }

    private JobStory Then(JobStep step)
    {
        (State, Reason, Refusal) = (step.State, step.Reason, step.Refusal);
        return this;
    }
}
