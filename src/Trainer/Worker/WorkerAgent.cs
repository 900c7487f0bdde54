using Cluster.Contracts.Jobs;
using Cluster.Trainer.Core.Collectives;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Trainer.Worker;

/// <summary>
/// Keeps this worker doing what the control plane says it should: reports what is, and acts on the difference.
/// </summary>
/// <remarks>
/// A heartbeat that fails changes nothing: training goes on, and what was to be reported is reported by a later one.
/// </remarks>
internal sealed partial class WorkerAgent(
    WorkerInfo worker,
    DataPlaneListener listener,
    IGrainFactory grains,
    TimeProvider time,
    ILogger<WorkerAgent> logger) : BackgroundService
{
    /// <summary>Often enough for a live progress bar, rare enough for thousands of workers.</summary>
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan HeartbeatDeadline = TimeSpan.FromSeconds(10);

    private TrainingSession? _session;
    private bool _unreachable;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            if (await Heartbeat(stoppingToken) is { } directive) { await ActOn(directive, stoppingToken); }
            await NextHeartbeat(stoppingToken);
        }
    }

    /// <summary>Reports and hears what should be; null when the control plane cannot be reached.</summary>
    private async Task<Directive?> Heartbeat(CancellationToken cancellationToken)
    {
        var report = _session?.Log.Report();
        try
        {
            var directive = await grains.GetGrain<IWorkerGrain>(worker.Id).Heartbeat(worker, report).WaitAsync(HeartbeatDeadline, time, cancellationToken);
            if (report is not null) { _session!.Log.Acknowledge(report); }
            if (_unreachable) { LogReachable(worker.Id); }
            _unreachable = false;
            return directive;
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            if (!_unreachable) { LogUnreachable(worker.Id, fault.Message); }
            _unreachable = true;
            return null;
        }
    }

    private async Task ActOn(Directive directive, CancellationToken cancellationToken)
    {
        switch (directive)
        {
            case Directive.Train train when _session is { } session && IsSame(session.Assignment, train.Assignment):
                if (train.Stop) { session.RequestStop(); }
                break;

            case Directive.Train train:
                await Drop(cancellationToken);
                LogStarts(worker.Id, train.Assignment);
                _session = new TrainingSession(train.Assignment, listener, time, logger);
                if (train.Stop) { _session.RequestStop(); }
                _session.Start();
                break;

            case Directive.Idle:
                await Drop(cancellationToken);
                break;
        }
    }

    /// <summary>Ends the session in hand, if any; a new one may start only when the old thread has let go of memory and sockets.</summary>
    private async Task Drop(CancellationToken cancellationToken)
    {
        if (_session is not { } session) { return; }
        session.Abort();
        await session.Ended.WaitAsync(cancellationToken);
        session.Dispose();
        _session = null;
    }

    private async Task NextHeartbeat(CancellationToken cancellationToken)
    {
        var interval = Task.Delay(HeartbeatInterval, time, cancellationToken);
        var urgent = _session?.Log.Urgent;
        await (urgent is null ? interval : Task.WhenAny(interval, urgent)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static bool IsSame(Assignment a, Assignment b) => a.JobId == b.JobId && a.Generation == b.Generation;

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} starts {Assignment}")]
    private partial void LogStarts(string worker, Assignment assignment);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Worker} cannot reach the control plane and goes on without it: {Reason}")]
    private partial void LogUnreachable(string worker, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} reaches the control plane again")]
    private partial void LogReachable(string worker);
}
