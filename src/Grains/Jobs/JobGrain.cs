using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cluster.Contracts.Jobs;
using Cluster.Grains.Telemetry;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Jobs;

/// <summary>
/// The shell around <see cref="JobMachine"/>: keeps its state and rings workers that have news. It watches their leases and
/// stores its progress in JobGrain.Watch.cs, keeps the pool informed in JobGrain.Pool.cs, and submits its branches in
/// JobGrain.Branches.cs.
/// </summary>
internal sealed partial class JobGrain(
    [PersistentState("job", "cluster")] IPersistentState<JobGrainState> store,
    [PersistentState("progress", "cluster")] IPersistentState<JobProgressState> progressStore,
    TimeProvider clock,
    ControlTelemetry telemetry,
    ILogger<JobGrain> logger) : Grain, IJobGrain, IRemindable
{
    private const int MaxEventLength = 1000;

    private JobProgress _progress = null!;

    private string Id => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _progress = new(progressStore.State);
        _storedRound = _progress.AbsorbedRound;
        SetTimers(before: null);
        TellPool();
        SubmitBranches();
        return Task.CompletedTask;
    }

    public async Task<SubmitResult> Submit(JobSubmission submission)
    {
        if (SubmissionRules.Refusal(store.State, Id, submission) is { } refusal)
        {
            return new(refusal);
        }

        if (store.State.State is JobState.Unknown)
        {
            await this.RegisterOrUpdateReminder(Reminder, ReminderPeriod, ReminderPeriod);
            await Commit(JobMachine.Submit(store.State, submission, clock.GetUtcNow().UtcDateTime));
        }

        await BeListed();
        return new(Refusal: null);
    }

    public Task<JobView> View(long afterSample) =>
        Task.FromResult(JobViews.Of(Id, store.State, _progress, _queuePlace, afterSample));

    public Task<MetricsView> Metrics() => Task.FromResult(_progress.History());

    public Task<JobSummary> Summary() => Task.FromResult(JobViews.SummaryOf(Id, store.State, _progress, _queuePlace));

    public Task<string?> Stop(string reason) => Wish(JobMachine.Stop(store.State, Names.Cut(reason, ReportBounds.MaxReasonLength)));

    public Task<string?> Pause(string reason) => Wish(JobMachine.Pause(store.State, Names.Cut(reason, ReportBounds.MaxReasonLength)));

    public async Task<string?> Resume()
    {
        var step = JobMachine.Resume(store.State, _progress.Round);
        if (step.State.State is JobState.Waiting)
        {
            await this.RegisterOrUpdateReminder(Reminder, ReminderPeriod, ReminderPeriod); // The last one went when the job had ended.
        }

        return await Wish(step);
    }

    public async Task<OrderResult> Order(OrderKind kind, string text, ImmutableArray<string> dataRoots)
    {
        var step = Orders.Accept(store.State, kind, text, dataRoots, clock.GetUtcNow().UtcDateTime, _progress.Round);
        if (step.Refusal is { } refusal) { return new(Order: null, refusal); }
        await Commit(step);
        return new(step.State.Orders[^1], Refusal: null);
    }

    public Task Fail(string reason) => Wish(JobMachine.Fail(store.State, Names.Cut(reason, ReportBounds.MaxReasonLength)));

    public Task Grant(ImmutableArray<WorkerInfo> workers, long version) =>
        Commit(JobMachine.Grant(store.State, workers, version, _progress.Round));

    public async Task<Directive> Report(WorkerInfo worker, JobReport? report)
    {
        var bounded = report is null ? null : ReportBounds.Bounded(report);
        var isOurs = store.State.Workers.Any(worker.IsSameProcess);
        if (bounded is not null && (isOurs || _progress.Knows(worker)))
        {
            // Also after the end, and after it left: the last samples, leaves and checkpoint still come in.
            _progress.Absorb(worker, bounded);
        }

        if (isOurs)
        {
            _leases.Hear(worker.Id);

            // A job that ends sends its workers away: what this forgot in a crash is told again before that.
            var heard = bounded is not null && _progress.IsBehind(bounded) ? bounded with { Outcome = null } : bounded;
            await Commit(JobMachine.Hear(store.State, worker, heard, _progress.Round));
            if (!store.State.TakesWorkers)
            {
                await StoreProgress();
            }
        }

        return JobDirectives.For(store.State, Id, worker, bounded, _progress.AbsorbedRound, _storedRound);
    }

    private async Task<string?> Wish(JobStep step)
    {
        await Commit(step);
        return step.Refusal;
    }

    /// <summary>Durable before visible: nobody hears of a state that a crash could make us forget.</summary>
    private async Task Commit(JobStep step)
    {
        var before = store.State;
        var noted = Branches.Note(Branches.Acknowledge(step.State, _submitted), Id, ForksOf(step.State), _progress.Round);
        if (ReferenceEquals(noted, before))
        {
            return;
        }

        var after = JobMachine.Acknowledge(noted, _returned);
        _returned.Clear();
        if (after.Generation != before.Generation)
        {
            after = after with { Secret = ImmutableCollectionsMarshal.AsImmutableArray(RandomNumberGenerator.GetBytes(32)) };
        }

        using var span = IsNews(before, after) ? ControlTelemetry.Step(Id, after, step.Reason) : null;
        if (after with { Ready = before.Ready, Arrived = before.Arrived } != before)
        {
            store.State = after;
            await Write();
        }

        store.State = after;
        await Tell(before, after, step.Reason);
    }

    private async Task Write()
    {
        try
        {
            await store.WriteStateAsync();
        }
        catch
        {
            DeactivateOnIdle(); // The write may or may not have landed; only a reload can tell.
            throw;
        }
    }

    private async Task Tell(JobGrainState before, JobGrainState after, string reason)
    {
        if (IsNews(before, after))
        {
            Happened(reason, isRecovery: after.Recoveries > before.Recoveries);
            LogStep(Id, after.State, after.Generation, reason);
            telemetry.Changed(Id, before, after, clock.GetUtcNow());
        }

        foreach (var branch in after.Branches.Skip(before.Branches.Length))
        {
            Happened($"release {branch.Release} anneals apart, as job {branch.JobId}", isRecovery: false);
        }

        if (!after.TakesWorkers || before.Effective?.Version != after.Effective?.Version)
        {
            await StoreProgress(); // Nobody will tell it again.
        }

        SetTimers(before);
        if (before.State != after.State || !before.Returned.SequenceEqual(after.Returned) || !before.Unreached.SequenceEqual(after.Unreached))
        {
            TellPool();
        }

        SubmitBranches();
        foreach (var worker in JobDirectives.WithNews(before, after))
        {
            await GrainFactory.GetGrain<IWorkerGrain>(worker).Ring(); // One way: it ends when the message is on its way.
        }

        void Happened(string what, bool isRecovery) => _progress.Happened(new(clock.GetUtcNow().UtcDateTime, after.Generation, after.State, Names.Cut(what, MaxEventLength))
        {
            Round = _progress.Round,
            IsRecovery = isRecovery,
        });
    }

    /// <summary>Whether people are to hear of it.</summary>
    private static bool IsNews(JobGrainState before, JobGrainState after) =>
        before.State != after.State || before.Orders != after.Orders || before.Generation != after.Generation || before.Reason != after.Reason || before.IsBroken != after.IsBroken;

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} is {State} (generation {Generation}): {Reason}")]
    private partial void LogStep(string job, JobState state, long generation, string reason);
}
