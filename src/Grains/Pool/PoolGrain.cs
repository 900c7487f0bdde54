using System.Collections.Immutable;
using Cluster.Contracts.Jobs;
using Cluster.Grains.Telemetry;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Cluster.Grains.Pool;

/// <summary>
/// The shell around <see cref="PoolMachine"/>: keeps its state and tells jobs and workers what changed for them. What it
/// tells is a hint that nobody awaits; whoever missed it hears the same from the next Offer or Enqueue.
/// </summary>
/// <remarks>Calls interleave while they wait for storage (<see cref="SharedWrite{T}"/>), and nowhere else.</remarks>
[Reentrant]
internal sealed partial class PoolGrain(
    [PersistentState("pool", "cluster")] IPersistentState<PoolState> store,
    ControlTelemetry telemetry,
    ILogger<PoolGrain> logger) : Grain, IPoolGrain
{
    private SharedWrite<PoolState> _durable = null!;
    private PoolRoster _roster = null!; // Volatile on purpose: workers offer themselves again.

    private string Id => this.GetPrimaryKeyString();

    private Pool Now => new(_durable.State, _roster);

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _durable = new(store, DeactivateOnIdle);
        _roster = PoolRoster.Of(store.State);
        telemetry.Pool = Now;
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        telemetry.Pool = null;
        return Task.CompletedTask;
    }

    public async Task<WorkerPlace> Offer(WorkerInfo worker)
    {
        var step = PoolMachine.Offer(Now, worker);
        await Commit(step);
        return PoolMachine.PlaceOf(step.Pool, worker.Id); // Not of what others have changed since: that may not be durable yet.
    }

    public Task Gone(WorkerInfo worker) => Commit(PoolMachine.Gone(Now, worker));

    public async Task<string> Enqueue(string jobId, int minWorkers, int maxWorkers, long grantVersion, ImmutableArray<string> sites)
    {
        var known = Now.State.Find(jobId);
        var step = PoolMachine.Enqueue(Now, jobId, minWorkers, maxWorkers, sites);
        await Commit(step);
        var isFirst = known is { Workers.IsEmpty: true } && grantVersion < 0; // It waits and has no workers: both know.
        if (known?.GrantVersion > grantVersion && !isFirst)
        {
            await GrainFactory.GetGrain<IJobGrain>(jobId).Grant(known.Workers, known.GrantVersion); // The last one was lost.
        }

        return PoolMachine.Describe(step.Pool, jobId);
    }

    public Task Return(string jobId, WorkerInfo worker) => Commit(PoolMachine.Return(Now, jobId, worker));

    public Task Exclude(string jobId, WorkerInfo worker) => Commit(PoolMachine.Exclude(Now, jobId, worker));

    public Task Release(string jobId) => Commit(PoolMachine.Release(Now, jobId));

    public Task<bool> Drain(string workerId) => CommitIfKnown(PoolMachine.Drain(Now, workerId));

    public Task<bool> Undrain(string workerId) => CommitIfKnown(PoolMachine.Undrain(Now, workerId));

    public async Task<PoolView> View()
    {
        var (state, roster) = Now;
        await _durable.Written();
        return new(
            [.. roster.Workers.Select(w => new PoolWorkerView(w.Worker, w.JobId, w.Worker.IsLeaving || state.Draining.Contains(w.Worker.Id)))],
            [.. state.Queue.Select(q => q.JobId)],
            [.. state.Placed.Select(p => p.JobId)]);
    }

    private async Task<bool> CommitIfKnown(PoolStep? step)
    {
        if (step is { } known)
        {
            await Commit(known);
        }

        return step is not null;
    }

    /// <summary>Durable before visible, as in the job grain: also what another call has changed and not yet written.</summary>
    private async Task Commit(PoolStep step)
    {
        var before = Now;
        var after = step.Pool;
        _roster = after.Roster;
        var isChange = !ReferenceEquals(after.State, before.State);
        if (isChange) { _durable.Change(after.State); }
        await _durable.Written();
        telemetry.Pool = Now;
        if (!isChange) { return; }
        LogStep(Id, after.State.Queue.Length, after.State.Placed.Length, step.Reason);
        await Tell(before, after);
    }

    /// <summary>One-way messages: these awaits end when the message is on its way.</summary>
    private async Task Tell(Pool before, Pool after)
    {
        // A job that nothing changed is the same instance in both.
        var were = before.State.Placed.Except(after.State.Placed, ReferenceEqualityComparer.Instance).Cast<PoolJob>().ToArray();
        var are = after.State.Placed.Concat(after.State.Queue.Where(q => were.Any(w => w.JobId == q.JobId)))
            .Except(before.State.Placed, ReferenceEqualityComparer.Instance).Cast<PoolJob>().ToArray();
        foreach (var job in are)
        {
            await GrainFactory.GetGrain<IJobGrain>(job.JobId).Grant(job.Workers, job.GrantVersion);
        }

        foreach (var worker in were.Concat(are).SelectMany(j => j.Workers).Select(w => w.Id).Distinct())
        {
            var place = PoolMachine.PlaceOf(after, worker);
            if (place.JobId != before.Roster.Find(worker)?.JobId)
            {
                await GrainFactory.GetGrain<IWorkerGrain>(worker).Assign(place);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Pool {Pool} has {Queued} waiting and {Running} running jobs: {Reason}")]
    private partial void LogStep(string pool, int queued, int running, string reason);
}
