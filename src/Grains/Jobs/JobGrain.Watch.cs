using System.Collections.Immutable;
using Cluster.Contracts.Jobs;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace Cluster.Grains.Jobs;

/// <summary>What a job does as time goes by: ends leases, gives suspects up, stores its progress.</summary>
internal sealed partial class JobGrain
{
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromMilliseconds(250);

    /// <summary>Samples come many times a second: they are stored together, and workers keep them until then.</summary>
    private static readonly TimeSpan ProgressPeriod = TimeSpan.FromSeconds(2);

    /// <summary>A worker that lives is heard of within one heartbeat, or at once when its bell rings; a little more than one, then.</summary>
    private static readonly TimeSpan SuspectGrace = TimeSpan.FromMilliseconds(300);

    private readonly LeaseWatch _leases = new(clock, WatchPeriod); // Volatile on purpose: after a restart everybody counts as heard.
    private readonly Dictionary<WorkerInfo, Task<bool>> _lost = []; // What the grains of silent workers answer.
    private IGrainTimer? _watch;
    private IGrainTimer? _grace;
    private long _storedVersion;
    private long _storedRound;
    private long _storedAt;

    private void SetTimers(JobGrainState? before)
    {
        var s = store.State;
        Keep(ref _watch, s.TakesWorkers && !s.Workers.IsEmpty, Watch, WatchPeriod, WatchPeriod);
        Keep(ref _repeat, s.TakesWorkers || OwesPool || s.OwesBranches, Repeat, RepeatPeriod, RepeatPeriod);
        if (before is null || s.Suspects.Except(before.Suspects).Any())
        {
            _grace?.Dispose();
            _grace = null;
        }

        Keep(ref _grace, s.IsBroken, () => Commit(JobMachine.GiveUpSuspects(store.State, _progress.Round)), SuspectGrace, Timeout.InfiniteTimeSpan);
        _leases.Keep(s.Workers.Select(w => w.Id).ToHashSet());
    }

    private void Keep(ref IGrainTimer? timer, bool wanted, Func<Task> tick, TimeSpan due, TimeSpan period)
    {
        if (!wanted)
        {
            timer?.Dispose();
            timer = null;
        }
        else
        {
            timer ??= this.RegisterGrainTimer(tick, new GrainTimerCreationOptions(due, period) { KeepAlive = true });
        }
    }

    private async Task Watch()
    {
        _leases.Tick();
        var silent = store.State.Workers.Where(w => _leases.IsSilent(w.Id, ClusterTiming.Lease)).ToImmutableArray();
        foreach (var heard in _lost.Keys.Except(silent).ToArray())
        {
            _lost.Remove(heard);
        }

        if (silent.RemoveAll(w => !IsLost(w)) is { IsEmpty: false } lost)
        {
            await Commit(JobMachine.Silent(store.State, lost, _progress.Round));
        }

        if (clock.GetElapsedTime(_storedAt) >= ProgressPeriod)
        {
            await StoreProgress();
        }
    }

    /// <summary>
    /// A silent worker is lost when its own grain says so too. While that grain cannot be reached, or has only just come up, its
    /// silo has died and not the worker. Never waits: what was asked at one tick is known at the next.
    /// </summary>
    private bool IsLost(WorkerInfo worker)
    {
        if (_lost.TryGetValue(worker, out var answer) && (!answer.IsCompleted || answer.Result))
        {
            return answer.IsCompleted;
        }

        _lost[worker] = HasLost(worker);
        return false;
    }

    private async Task<bool> HasLost(WorkerInfo worker)
    {
        try
        {
            return await GrainFactory.GetGrain<IWorkerGrain>(worker.Id).HasLost(worker, Id).WaitAsync(ClusterTiming.Lease, clock);
        }
        catch (Exception e)
        {
            LogCannotTell(Id, worker.Id, e.Message);
            return false;
        }
    }

    /// <summary>Never stops the job: what could not be stored is still with the workers, and is tried again.</summary>
    private async Task StoreProgress()
    {
        var (version, round) = (_progress.Version, _progress.AbsorbedRound);
        if (version == _storedVersion)
        {
            return;
        }

        try
        {
            progressStore.State = _progress.ToState();
            await progressStore.WriteStateAsync();
            (_storedVersion, _storedRound) = (version, round);
        }
        catch (Exception e)
        {
            LogProgressNotStored(e, Id, e.Message);
            if (e is InconsistentStateException)
            {
                DeactivateOnIdle(); // Another activation has stored its own: what it knows is to be read first.
            }
        }

        _storedAt = clock.GetTimestamp();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} has not heard from worker {Worker}, whose grain cannot be reached to tell whether it lives: {Problem}")]
    private partial void LogCannotTell(string job, string worker, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job} could not store its progress and tries again: {Problem}")]
    private partial void LogProgressNotStored(Exception exception, string job, string problem);
}
