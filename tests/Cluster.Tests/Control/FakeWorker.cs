using Cluster.Contracts.Jobs;

namespace Cluster.Tests.Control;

/// <summary>
/// A worker that only talks: says what it has and does what it is told, without computing anything. It commits a round with
/// every heartbeat, and changes over to another generation as soon as it hears of it.
/// </summary>
internal sealed class FakeWorker : IWorkerBell
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly IGrainFactory _grains;
    private readonly IWorkerBell _bell;
    private TaskCompletionSource _rung = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FakeWorker(IGrainFactory grains, string id, int process = 100)
    {
        _grains = grains;
        _bell = grains.CreateObjectReference<IWorkerBell>(this);
        Info = Some.Worker(id, process);
    }

    public WorkerInfo Info { get; set; }

    public string Id => Info.Id;

    /// <summary>What it will say next; null while it has no job.</summary>
    public JobReport? Report { get; set; }

    public Assignment? Assignment { get; private set; }

    public Directive? Told { get; private set; }

    /// <summary>What it says when asked to compute, instead of the next round.</summary>
    public Func<JobReport, JobReport> Compute { get; set; } = report => report with { Round = Math.Min(report.Round + 1, report.Rounds), LeavesComputed = report.LeavesComputed + 1 };

    public Task Rung => _rung.Task;

    public Task Ring()
    {
        _rung.TrySetResult();
        return Task.CompletedTask;
    }

    /// <summary>Says what it has, and does what it is told.</summary>
    public async Task<Directive> Beat()
    {
        if (_rung.Task.IsCompleted)
        {
            _rung = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        Told = await _grains.GetGrain<IWorkerGrain>(Id).Heartbeat(Info, Report, _bell).WaitAsync(Deadline);
        Report = Told switch
        {
            Directive.Prepare prepare => Some.Report(prepare.JobId, generation: 0),
            Directive.Train train => Begin(train.Assignment),
            Directive.Continue { Stop: true } when Report is { Generation: > 0 } => Report with { Outcome = Some.Cancelled() },
            Directive.Continue when Report is { Generation: > 0, Outcome: null, Fault: null } => Compute(Report),
            Directive.Continue => Report,
            _ => null,
        };
        return Told;
    }

    /// <summary>Beats until something is so, and then once a busy heartbeat or when it is rung, as a real one, if asked to go on.</summary>
    public async Task<FakeWorker> BeatUntil(Func<FakeWorker, bool> isSo, string what)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (await Beat() is var told && !isSo(this))
        {
            Assert.False(deadline.IsCancellationRequested, $"{Id} was told {told} at last, and not {what}");
            await Task.WhenAny(Rung, Task.Delay(20));
        }

        return this;
    }

    /// <summary>Beats until it is told to compute for that job in this generation or a later one.</summary>
    public async Task<Assignment> BeatUntilTraining(string jobId, long generation = 1)
    {
        await BeatUntil(w => w.Report?.JobId == jobId && w.Assignment?.JobId == jobId && w.Assignment.Generation >= generation, $"to train {jobId}, generation {generation}");
        return Assignment!;
    }

    public Task BeatUntilIdle() => BeatUntil(w => w.Told is Directive.Idle, "to be idle");

    /// <summary>Lives until it is killed.</summary>
    public async Task Live(CancellationToken kill)
    {
        while (!kill.IsCancellationRequested)
        {
            await Beat();
            await Task.WhenAny(Rung, Task.Delay(50, kill));
        }
    }

    private JobReport Begin(Assignment assignment)
    {
        Assignment = assignment;
        var known = Report?.JobId == assignment.JobId ? Report : Some.Report(assignment.JobId);
        return known with { Generation = assignment.Generation, Known = assignment.Generation, IsReady = true, Fault = null, Outcome = null };
    }
}
