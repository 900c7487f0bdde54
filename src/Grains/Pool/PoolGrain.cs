using System.Collections.Immutable;
using Cluster.Contracts.Jobs;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Pool;

/// <summary>
/// The shell around <see cref="PoolMachine"/>: keeps its state and tells jobs and workers what changed for them. What it
/// tells is a hint that nobody awaits; whoever missed it hears the same from the next Offer or Enqueue.
/// </summary>
internal sealed partial class PoolGrain(
    [PersistentState("pool", "cluster")] IPersistentState<PoolState> store,
    ILogger<PoolGrain> logger) : Grain, IPoolGrain
{
    private ImmutableArray<WorkerInfo> _roster = []; // Volatile on purpose: workers offer themselves again.

    private string Id => this.GetPrimaryKeyString();

    public async Task<WorkerPlace> Offer(WorkerInfo worker)
    {
        var known = _roster.FirstOrDefault(w => w.Id == worker.Id);
        if (known != worker)
        {
            LogWorker(worker.Id, worker.ProcessId, worker.Host, worker.Port);
            _roster = known is null ? _roster.Add(worker) : _roster.Replace(known, worker);
            await Commit(PoolMachine.Place(store.State, _roster));
        }

        return PoolMachine.PlaceOf(store.State, worker.Id);
    }

    public async Task<string> Enqueue(string jobId, int workers)
    {
        if (PoolMachine.PlacementOf(store.State, jobId) is { } placed)
        {
            await GrainFactory.GetGrain<IJobGrain>(jobId).Grant(placed.Workers); // It would not ask again if it knew.
        }
        else
        {
            await Commit(PoolMachine.Enqueue(store.State, _roster, jobId, workers));
        }

        return PoolMachine.Describe(store.State, _roster, jobId);
    }

    public Task Release(string jobId) => Commit(PoolMachine.Release(store.State, _roster, jobId));

    public Task<PoolView> View() => Task.FromResult(new PoolView(
        PoolMachine.Idle(store.State, _roster),
        [.. store.State.Queue.Select(q => q.JobId)],
        [.. store.State.Placed.Select(p => p.JobId)]));

    /// <summary>Durable before visible, as in the job grain.</summary>
    private async Task Commit(PoolStep step)
    {
        var before = store.State;
        if (ReferenceEquals(step.State, before))
        {
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

        LogStep(Id, step.State.Queue.Length, step.State.Placed.Length, step.Reason);
        await Tell(before, step.State);
    }

    /// <summary>One-way messages: these awaits end when the message is on its way.</summary>
    private async Task Tell(PoolState before, PoolState after)
    {
        var arrived = after.Placed.Where(p => PoolMachine.PlacementOf(before, p.JobId) is null).ToArray();
        var left = before.Placed.Where(p => PoolMachine.PlacementOf(after, p.JobId) is null).ToArray();
        foreach (var job in arrived)
        {
            await GrainFactory.GetGrain<IJobGrain>(job.JobId).Grant(job.Workers);
        }

        foreach (var worker in left.Concat(arrived).SelectMany(p => p.Workers).Select(w => w.Id).Distinct())
        {
            await GrainFactory.GetGrain<IWorkerGrain>(worker).Assign(PoolMachine.PlaceOf(after, worker));
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} is here: process {ProcessId}, {Host}:{Port}")]
    private partial void LogWorker(string worker, int processId, string host, int port);

    [LoggerMessage(Level = LogLevel.Information, Message = "Pool {Pool} has {Queued} waiting and {Running} running jobs: {Reason}")]
    private partial void LogStep(string pool, int queued, int running, string reason);
}
