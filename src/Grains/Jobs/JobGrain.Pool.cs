using Cluster.Contracts.Jobs;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Jobs;

/// <summary>
/// What the job owes to others: the pool holds what its state asks for, the index has it, and a reminder wakes it until it
/// has ended.
/// </summary>
internal sealed partial class JobGrain
{
    private const string Reminder = "drive";

    /// <summary>The shortest that Orleans allows; it matters only when nobody else wakes the job after a restart.</summary>
    private static readonly TimeSpan ReminderPeriod = TimeSpan.FromMinutes(1);

    /// <summary>A message to or from the pool that was lost is made good after so long.</summary>
    private static readonly TimeSpan RepeatPeriod = TimeSpan.FromSeconds(5);

    private readonly List<WorkerInfo> _returned = []; // Lost or unreached, acknowledged by the pool; the next write notes it.
    private IGrainTimer? _repeat;
    private Task _telling = Task.CompletedTask;
    private bool _tellAgain;
    private bool _isReleased;
    private string? _queuePlace;

    /// <summary>The pool may still hold workers for a job that needs none.</summary>
    private bool OwesPool => store.State.State is not JobState.Unknown && !store.State.TakesWorkers && !_isReleased;

    private IPoolGrain Pool => GrainFactory.GetGrain<IPoolGrain>(IPoolGrain.Default);

    /// <summary>After a restart of the silo: activation has done all there is to do. Once nothing is owed, it comes no more.</summary>
    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        if (!store.State.TakesWorkers)
        {
            await Task.WhenAll(_telling, _submitting);
            await Commit(new(store.State, "has nothing new"));
            if (!OwesPool && !store.State.OwesBranches && await this.GetReminder(Reminder) is { } reminder)
            {
                await this.UnregisterReminder(reminder);
            }
        }
        else
        {
            await BeListed();
        }
    }

    private async Task BeListed()
    {
        if (!store.State.IsListed)
        {
            await GrainFactory.GetGrain<IJobIndexGrain>(IJobIndexGrain.Default).Add(Id);
            store.State = store.State with { IsListed = true };
            await Write();
        }
    }

    private async Task Repeat()
    {
        TellPool();
        SubmitBranches();
        await Commit(new(store.State, "has nothing new")); // But what was answered since.
        SetTimers(store.State);
        await StoreProgress();
    }

    /// <summary>
    /// Not awaited by what brings it about: a pool that is away must not hold up workers' reports. One conversation at a time; a
    /// change meanwhile makes another.
    /// </summary>
    private void TellPool()
    {
        _tellAgain = true;
        if (_telling.IsCompleted)
        {
            _telling = Converse();
        }
    }

    private async Task Converse()
    {
        while (_tellAgain)
        {
            _tellAgain = false;
            var s = store.State;
            try
            {
                foreach (var lost in s.Returned.Except(_returned))
                {
                    await Pool.Return(Id, lost);
                    _returned.Add(lost);
                }

                foreach (var unreached in s.Unreached.Except(_returned))
                {
                    await Pool.Exclude(Id, unreached);
                    _returned.Add(unreached);
                }

                if (s.TakesWorkers)
                {
                    _isReleased = false;
                    _queuePlace = await Pool.Enqueue(Id, s.Submission!.MinWorkers, s.Submission.MaxWorkers, s.GrantVersion, s.Submission.Sites);
                }
                else if (OwesPool)
                {
                    await Pool.Release(Id);
                    _isReleased = true;
                    _queuePlace = null;
                }
            }
            catch (Exception e)
            {
                LogPoolAway(e, Id, e.Message); // The timer tries again.
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job} could not reach its pool and tries again: {Problem}")]
    private partial void LogPoolAway(Exception exception, string job, string problem);
}
