using Cluster.Contracts.Jobs;
using Cluster.Trainer.Core.Collectives;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Trainer.Worker;

/// <summary>
/// Keeps this worker doing what the control plane says it should: reports what is, and acts on the difference.
/// </summary>
/// <remarks>
/// A heartbeat that fails changes nothing: training goes on, and what was to be reported is reported by a later one. Asked to
/// end, the worker says that it is leaving and goes on until its job has let it go.
/// </remarks>
internal sealed partial class WorkerAgent(
    WorkerInfo worker,
    TrainerSettings settings,
    DataPlaneListener listener,
    IGrainFactory grains,
    TimeProvider time,
    ILogger<WorkerAgent> logger) : BackgroundService
{
    /// <summary>An answer that takes longer is not waited for: the silo may be gone, and asking again is harmless.</summary>
    private static readonly TimeSpan HeartbeatDeadline = TimeSpan.FromSeconds(2);

    /// <summary>How long a worker that is leaving looks for a control plane that does not answer.</summary>
    private static readonly TimeSpan LeaveAloneAfter = TimeSpan.FromSeconds(5);

    private readonly Bell _bell = new();
    private IWorkerBell? _bellReference;
    private TrainingSession? _session;
    private long _sessions;
    private long _lastAnswer = time.GetTimestamp();
    private bool? _isReachable; // Null before the first try.

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _bellReference = grains.CreateObjectReference<IWorkerBell>(_bell);
        using var leave = stoppingToken.Register(_bell.Strike);
        while (true)
        {
            var isLeaving = stoppingToken.IsCancellationRequested;
            var directive = await Heartbeat(worker with { IsLeaving = isLeaving });
            if (directive is not null) { ActOn(directive); }
            if (isLeaving && (HasLeft(directive) || time.GetElapsedTime(_lastAnswer) > LeaveAloneAfter)) { break; }
            await NextHeartbeat();
        }

        LogLeft(worker.Id);
    }

    private bool HasLeft(Directive? directive) => directive is Directive.Idle && _session is null;

    /// <summary>Reports and hears what should be; null when the control plane cannot be reached.</summary>
    private async Task<Directive?> Heartbeat(WorkerInfo self)
    {
        Reap();
        var session = _session is { IsDropped: false } active ? active : null;
        var report = session?.Log.Report();
        try
        {
            var directive = await grains.GetGrain<IWorkerGrain>(self.Id).Heartbeat(self, report, _bellReference!).WaitAsync(HeartbeatDeadline, time);
            session?.Log.Acknowledge();
            _lastAnswer = time.GetTimestamp();
            if (_isReachable is false) { LogReachable(self.Id); }
            if (_isReachable is null) { LogHere(self.Id, self.Host, self.Port); }
            _isReachable = true;
            return directive;
        }
        catch (Exception fault)
        {
            if (_isReachable is not false) { LogUnreachable(self.Id, fault.Message); }
            _isReachable = false;
            return null;
        }
    }

    private void ActOn(Directive directive)
    {
        switch (directive)
        {
            case Directive.Continue go when _session is { } session:
                session.Stop = go.Stop;
                session.Log.Absorbed(go.AbsorbedRound, go.StoredRound);
                break;

            case Directive.Train train:
                if (Hold(train.Assignment.JobId, train.Assignment.Submission) is { } trained)
                {
                    trained.Stop = train.Stop;
                    trained.Assign(train.Assignment);
                }

                break;

            case Directive.Prepare prepare:
                Hold(prepare.JobId, prepare.Submission);
                break;

            case Directive.Idle:
                _session?.Drop();
                break;
        }
    }

    /// <summary>
    /// The session of this job, begun now if need be. Null while another one still holds memory and sockets: the next heartbeat
    /// tries again, and meanwhile they go on, however long its last leaf takes.
    /// </summary>
    private TrainingSession? Hold(string jobId, JobSubmission submission)
    {
        if (_session is { } session)
        {
            var isGood = session.JobId == jobId && session.Version == submission.Version && !session.IsDropped && !session.Ended.IsCompleted;
            if (!isGood) { session.Drop(); }
            Reap();
            if (_session is not null) { return isGood ? session : null; }
        }

        _session = new TrainingSession(submission, jobId, worker.Id, ++_sessions, settings.SiteFolder, listener, grains, time, logger);
        _session.Start();
        return _session;
    }

    /// <summary>Lets go of a session that was dropped and has ended.</summary>
    private void Reap()
    {
        if (_session is { IsDropped: true, Ended.IsCompleted: true } session)
        {
            session.Dispose();
            _session = null;
        }
    }

    private async Task NextHeartbeat()
    {
        using var wait = new CancellationTokenSource();
        var interval = Task.Delay(_session is null ? ClusterTiming.IdleHeartbeat : ClusterTiming.BusyHeartbeat, time, wait.Token);
        var ended = _session is { IsDropped: true } dropped ? dropped.Ended : _session?.Log.Urgent ?? interval;
        await Task.WhenAny(interval, _bell.Rung(), ended);
        await wait.CancelAsync();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} is in the cluster and listens for its peers on {Host}:{Port}. Ctrl-C lets it leave")]
    private partial void LogHere(string worker, string host, int port);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} has nothing to do any more and ends")]
    private partial void LogLeft(string worker);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Worker} cannot reach the control plane and goes on without it: {Reason}")]
    private partial void LogUnreachable(string worker, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} reaches the control plane again")]
    private partial void LogReachable(string worker);

    /// <summary>What the control plane, or the end of the process, rings.</summary>
    private sealed class Bell : IWorkerBell
    {
        private TaskCompletionSource _rung = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Ring()
        {
            Strike();
            return Task.CompletedTask;
        }

        public void Strike() => Volatile.Read(ref _rung).TrySetResult();

        /// <summary>Completes at the next stroke, or at once when there was one since the last call.</summary>
        public Task Rung()
        {
            var rung = Volatile.Read(ref _rung);
            if (!rung.Task.IsCompleted) { return rung.Task; }
            Volatile.Write(ref _rung, new(TaskCreationOptions.RunContinuationsAsynchronously));
            return rung.Task;
        }
    }
}
