using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;
using Microsoft.Extensions.Logging;

namespace Cluster.Trainer.Worker;

/// <summary>
/// One job on this worker: a dedicated training thread that builds the model once and then runs one generation after the other,
/// and what other threads may ask of it.
/// </summary>
/// <remarks>
/// TorchSharp's scopes and <c>no_grad</c> belong to a thread, so everything that touches a tensor runs on the one thread
/// started here, with blocking calls. The agent's thread sees <see cref="SessionLog"/> and asks with <see cref="Assign"/>,
/// <see cref="Stop"/> and <see cref="Drop"/>.
/// <code>
///   prepare -> ready -> wait for an assignment -> run the generation -+-> wait for a newer one -> ...
///                                ^                                    |
///                                +--- fault, change-over, end --------+        dropped: the thread ends
/// </code>
/// </remarks>
internal sealed partial class TrainingSession : IRoundObserver, IDisposable
{
    private readonly JobSubmission _submission;
    private readonly SiteFolder? _site;
    private readonly DataPlaneListener _listener;
    private readonly IGrainFactory _grains;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly JobLogFile _file;
    private readonly object _gate = new(); // A Monitor, for its wait and pulse: guards the four fields after it.
    private Assignment? _newest;
    private Mesh? _mesh;
    private bool _isDropped;
    private bool _stop;

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _workerId;
    private JobCheckpoints? _checkpoints; // This and the next are the training thread's, as is all that is local to it.
    private SessionTelemetry _telemetry = null!;

    /// <param name="number">Counts the sessions of this process, from 1.</param>
    public TrainingSession(JobSubmission submission, string jobId, string workerId, long number, SiteFolder? site, DataPlaneListener listener, IGrainFactory grains, TimeProvider time, ILogger logger)
    {
        (JobId, _workerId, _submission, _site, _listener, _grains, _time, _logger) = (jobId, workerId, submission, site, listener, grains, time, logger);
        _file = new JobLogFile(submission.Directory, workerId, time);
        _file.Write($"takes up {jobId}, process {Environment.ProcessId}");
        Log = new SessionLog(jobId, number, time, _file.Write, submission.Version);
    }

    public string JobId { get; }

    /// <summary>Of the submission that it holds.</summary>
    public long Version => _submission.Version;

    public SessionLog Log { get; }

    /// <summary>Completes when the training thread has ended.</summary>
    public Task Ended => _ended.Task;

    public bool IsDropped
    {
        get { lock (_gate) { return _isDropped; } }
    }

    /// <summary>All ranks end at a checkpoint after the current round.</summary>
    public bool Stop
    {
        set { lock (_gate) { _stop = value; } }
    }

    public void Start() => new Thread(Train) { Name = $"training {JobId}", IsBackground = true }.Start();

    /// <summary>Another generation is to be computed: at once when the one before was lost, else when its ranks change over.</summary>
    public void Assign(Assignment assignment)
    {
        lock (_gate)
        {
            if (assignment.Generation <= _newest?.Generation) { return; }
            _newest = assignment;
            Log.Known = assignment.Generation;
            if (assignment.IsRecovery) { _mesh?.Abort($"generation {assignment.Generation} takes its place"); }
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Gives the job up: whatever blocks on a peer wakes up, and the thread ends as soon as it can.</summary>
    public void Drop()
    {
        lock (_gate)
        {
            _isDropped = true;
            _mesh?.Abort("this worker leaves the job");
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>After <see cref="Ended"/>.</summary>
    public void Dispose() => _file.Dispose();

    private void Train()
    {
        using var telemetry = _telemetry = new SessionTelemetry(JobId, _workerId, _submission, _time);
        LogTakesUp(_workerId, JobId);
        try
        {
            Run();
        }
        catch (Exception reason) when (reason is BadInputException or CheckpointFailedException)
        {
            End(Failed(reason.Message));
        }
        catch (Exception unexpected)
        {
            // A broken invariant or a fault of a native library: the log has the details, the user gets the sentence.
            LogCrash(JobId, unexpected);
            _file.Write(unexpected.ToString());
            End(Failed($"{unexpected.GetType().Name}: {unexpected.Message}"));
        }
        finally
        {
            _ended.TrySetResult();
        }
    }

    private void Run()
    {
        var spec = SpecReader.Read(_submission.SpecText, $"the spec of {JobId}", []).Spec
            ?? throw new BadInputException($"the spec of {JobId} cannot be read by this worker; is it of another version?");
        var device = ComputeDevice.Prepare(spec);
        // The samples that ship are beside every worker, whoever submitted the job and knew where.
        using var method = TrainingMethods.Create(spec, [.. _submission.DataRoots, DataRoots.Shipped], device, _site);
        var environment = TrainerEnvironment.Describe(device);
        using var loop = new RoundLoop(method, spec, this, _time);
        Log.Ready(method.Rounds);

        var generation = 0L;
        try
        {
            while (NextAssignment(generation) is { } assignment)
            {
                Log.Begin(assignment);
                SetUpCheckpoints(assignment, spec, method, environment, isFresh: generation == 0);
                generation = assignment.Generation;
                RunGeneration(assignment, method, loop, environment);
            }
        }
        finally
        {
            _checkpoints?.Dispose();
        }
    }

    /// <summary>Blocks until there is an assignment of a newer generation; null once the job is dropped.</summary>
    private Assignment? NextAssignment(long after)
    {
        lock (_gate)
        {
            while (!_isDropped && !(_newest?.Generation > after)) { Monitor.Wait(_gate); }
            return _isDropped ? null : _newest;
        }
    }

    /// <summary>Blocks until there is another generation, for a moment at most.</summary>
    private void AwaitNewer(long than)
    {
        lock (_gate)
        {
            if (!_isDropped && !_stop && !(_newest?.Generation > than)) { Monitor.Wait(_gate, ClusterTiming.BusyHeartbeat); }
        }
    }

    /// <summary>
    /// Rank 0 keeps the checkpoints. One that has computed nothing yet begins with the newest: the job is resumed, or lost all
    /// its workers. Where another rank has newer rounds in memory, the catch-up brings them.
    /// </summary>
    private void SetUpCheckpoints(Assignment assignment, JobSpec spec, IRoundMethod method, ImmutableDictionary<string, string> environment, bool isFresh)
    {
        if (assignment.Rank != 0)
        {
            _checkpoints?.Dispose();
            _checkpoints = null;
        }
        else
        {
            _checkpoints ??= JobCheckpoints.Open(assignment, spec, method, environment, isFresh, _time, Log);
        }
    }

    private void RunGeneration(Assignment assignment, IRoundMethod method, RoundLoop loop, ImmutableDictionary<string, string> environment)
    {
        using var mesh = new Mesh(
            new MeshMembership(
                JobId,
                assignment.Generation,
                assignment.Rank,
                [.. assignment.Members.Select(member => MeshMembership.EndPointOf(member.Host, member.Port))],
                assignment.Secret),
            _listener);
        if (!TryEnter(mesh)) { return; }
        string? lostBy = null;
        _telemetry.Begin(assignment, mesh, method.ContributionLength * sizeof(float));
        LogTrains(_workerId, assignment);
        try
        {
            mesh.Connect();
            var crew = new GenerationCrew(assignment, _grains, _time, () => AwaitNewer(assignment.Generation), Log.Notice);
            var end = loop.Run(mesh, Wish, crew);
            if (end is LoopEnd.ChangedOver) { Log.ChangedOver(); }
            else { End(Conclude(end, method, environment)); }
        }
        catch (MeshFaultException fault) when (fault.Fault.Kind != FaultKind.Aborted)
        {
            LogFault(assignment, fault.Message);
            lostBy = fault.Message;
            var lost = fault.Fault.Rank is { } rank ? assignment.Members[rank].Id : null;
            var reason = lost is null ? fault.Fault.Reason : $"{lost} (rank {fault.Fault.Rank}): {fault.Fault.Reason}";
            Log.Lost(new GenerationFault(lost, reason, MayGoOnWithout: fault.Fault.Kind != FaultKind.Differs));
        }
        catch (MeshFaultException)
        {
            // Aborted by Assign or Drop: there is another generation, or nothing more to do.
        }
        finally
        {
            _telemetry.EndGeneration(lostBy);
            lock (_gate) { _mesh = null; }
        }
    }

    private void End(Outcome outcome)
    {
        Log.End(outcome);
        _telemetry.Ended(outcome);
        LogEnded(_workerId, JobId, outcome.State);
    }

    /// <summary>False when the generation is out of date before it has begun.</summary>
    private bool TryEnter(Mesh mesh)
    {
        lock (_gate)
        {
            _mesh = mesh;
            return !_isDropped && !(_newest is { IsRecovery: true } newest && newest.Generation > mesh.Generation);
        }
    }

    private RoundWish Wish()
    {
        lock (_gate) { return new RoundWish(_stop, _newest!.Generation); }
    }

    private Outcome Conclude(LoopEnd end, IRoundMethod method, ImmutableDictionary<string, string> environment)
    {
        if (end is LoopEnd.TooManySkips skips)
        {
            _checkpoints?.Dispose(); // Tells of the last good one, which may still have been on its way to the disk.
            _checkpoints = null;
            return Failed(skips.Reason) with { IsShared = true };
        }

        var counters = new RoundCounters(method.State.Counters);
        if (end is LoopEnd.InTrouble trouble)
        {
            // The weights are good, and what went into them may have been dear: they are kept, and the job can be resumed.
            if (counters.Skipped < counters.Round) { _checkpoints?.SaveLast(counters); }
            return Failed(trouble.Reason) with { IsShared = true };
        }

        _checkpoints?.SaveLast(counters);
        return new Outcome(
            end is LoopEnd.Stopped ? JobState.Cancelled : JobState.Succeeded,
            end is LoopEnd.Stopped ? "stopped at a checkpoint, as asked" : null,
            WeightsHash.Of(method.State.Layout, method.State.Buffers[0].Buffer),
            environment);
    }

    void IRoundObserver.Began(RoundCounters counters)
    {
        Log.Began(counters);
        _telemetry.CaughtUp(counters.Round);
    }

    void IRoundObserver.LeavesComputed(int count)
    {
        Log.LeavesComputed(count);
        _telemetry.LeavesComputed(count);
    }

    void IRoundObserver.Committed(RoundCounters counters, in Tally tally, RoundResult result, in RoundTimes times)
    {
        _telemetry.Committed(counters, tally, result, times);
        Log.Committed(counters, tally, result);
        _checkpoints?.AfterRound(counters);
    }

    void IRoundObserver.Evaluated(RoundCounters counters, IReadOnlyList<Evaluation> evaluations, TimeSpan took)
    {
        _telemetry.Evaluated(counters.Round, took);
        Log.Evaluated(counters, evaluations);
        _checkpoints?.AfterEvaluation(counters, evaluations);
    }

    private static Outcome Failed(string reason) =>
        new(JobState.Failed, reason, null, ImmutableDictionary<string, string>.Empty, IsShared: false);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} takes up {Job}")]
    private partial void LogTakesUp(string worker, string job);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} has {Assignment}")]
    private partial void LogTrains(string worker, Assignment assignment);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} is through with {Job}: {State}")]
    private partial void LogEnded(string worker, string job, JobState state);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Assignment} was lost: {Reason}")]
    private partial void LogFault(Assignment assignment, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Job} ended here by an unexpected error")]
    private partial void LogCrash(string job, Exception exception);
}
