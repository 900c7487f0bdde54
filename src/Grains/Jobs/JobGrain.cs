using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cluster.Contracts.Jobs;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Jobs;

/// <summary>The shell around <see cref="JobMachine"/>: keeps its state, tells the pool, logs each change once.</summary>
internal sealed partial class JobGrain(
    [PersistentState("job", "cluster")] IPersistentState<JobGrainState> store,
    ILogger<JobGrain> logger) : Grain, IJobGrain
{
    private static readonly TimeSpan RepeatPeriod = TimeSpan.FromSeconds(5);

    /// <summary>Several heartbeats: how long a rank that others have lost may take to say what happened to it.</summary>
    private static readonly TimeSpan ReasonPeriod = TimeSpan.FromSeconds(3);

    private readonly JobProgress _progress = new(); // Volatile on purpose: no write per heartbeat.
    private IGrainTimer? _repeat;
    private IGrainTimer? _reason;
    private string? _queuePlace;

    private string Id => this.GetPrimaryKeyString();

    private IPoolGrain Pool => GrainFactory.GetGrain<IPoolGrain>(IPoolGrain.Default);

    public override Task OnActivateAsync(CancellationToken cancellationToken) => TellPool();

    public async Task<SubmitResult> Submit(JobSubmission submission)
    {
        if (SubmissionRules.Refusal(store.State, Id, submission) is { } refusal)
        {
            return new(refusal);
        }

        await Commit(JobMachine.Submit(store.State, submission));
        return new(Refusal: null);
    }

    public Task<JobView> View(long afterSample) =>
        Task.FromResult(JobViews.Of(Id, store.State, _progress, _queuePlace, afterSample));

    public Task Stop(string reason) => Commit(JobMachine.Stop(store.State, Names.Cut(reason, ReportBounds.MaxReasonLength)));

    public Task Fail(string reason) => Commit(JobMachine.Fail(store.State, Names.Cut(reason, ReportBounds.MaxReasonLength)));

    public Task Grant(ImmutableArray<WorkerInfo> workers) =>
        Commit(JobMachine.Grant(store.State, workers, ImmutableCollectionsMarshal.AsImmutableArray(RandomNumberGenerator.GetBytes(32))));

    public async Task<Directive> Report(string workerId, JobReport? report)
    {
        if (report is not null && JobMachine.IsCurrent(store.State, workerId, report))
        {
            // Also after the end: when one rank failed, the others' last samples and checkpoint still come in.
            var bounded = ReportBounds.Bounded(report);
            _progress.Absorb(bounded);
            if (bounded.Outcome is { } outcome)
            {
                await Commit(JobMachine.End(store.State, bounded.Rank, outcome));
                if (JobMachine.AwaitsReason(store.State))
                {
                    _reason ??= this.RegisterGrainTimer(() => Commit(JobMachine.StopAwaiting(store.State)), ReasonPeriod, Timeout.InfiniteTimeSpan);
                }
            }
        }

        return JobMachine.DirectiveFor(store.State, Id, workerId);
    }

    /// <summary>Durable before visible: nobody hears of a state that a crash could make us forget.</summary>
    private async Task Commit(JobStep step)
    {
        if (ReferenceEquals(step.State, store.State))
        {
            LogUnchanged(Id, step.Reason);
            return;
        }

        store.State = step.State;
        try
        {
            await store.WriteStateAsync();
        }
        catch
        {
            DeactivateOnIdle(); // The write may or may not have landed; only a reload can tell.
            throw;
        }

        LogStep(Id, step.State.State, step.State.Generation, step.Reason);
        await TellPool();
    }

    /// <summary>
    /// The pool holds what this state asks for: a place in the queue while waiting, nothing after the end. Repeated while
    /// waiting, which also brings back a lost grant, and until it has succeeded after the end.
    /// </summary>
    private async Task TellPool()
    {
        var again = store.State.State is JobState.Waiting;
        try
        {
            if (again)
            {
                _queuePlace = await Pool.Enqueue(Id, store.State.Submission!.Workers);
            }
            else if (store.State.State.IsFinal)
            {
                await Pool.Release(Id);
            }
        }
        catch (Exception e)
        {
            LogPoolAway(e, Id, e.Message);
            again = true;
        }

        if (!again)
        {
            _repeat?.Dispose();
            _repeat = null;
        }
        else
        {
            _repeat ??= this.RegisterGrainTimer(TellPool, new GrainTimerCreationOptions(RepeatPeriod, RepeatPeriod) { KeepAlive = true });
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} is {State} (generation {Generation}): {Reason}")]
    private partial void LogStep(string job, JobState state, long generation, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Job {Job} stays as it is: it {Reason}")]
    private partial void LogUnchanged(string job, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job} could not reach its pool and tries again: {Problem}")]
    private partial void LogPoolAway(Exception exception, string job, string problem);
}
