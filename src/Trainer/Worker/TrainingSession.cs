using Cluster.Trainer.Core;
using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;
using Microsoft.Extensions.Logging;

namespace Cluster.Trainer.Worker;

/// <summary>
/// One generation of a job on this worker: a dedicated training thread, and what other threads may ask of it.
/// </summary>
/// <remarks>
/// TorchSharp's scopes and <c>no_grad</c> belong to a thread, so everything that touches a tensor runs on the one thread
/// started here, with blocking calls. The agent's thread sees <see cref="SessionLog"/> and asks with
/// <see cref="RequestStop"/> and <see cref="Abort"/>.
/// </remarks>
internal sealed partial class TrainingSession : IRoundObserver, IDisposable
{
    private readonly DataPlaneListener _listener;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _abort = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stop;
    private JobCheckpoints? _checkpoints;

    public TrainingSession(Assignment assignment, DataPlaneListener listener, TimeProvider time, ILogger logger)
    {
        Assignment = assignment;
        Log = new SessionLog(assignment, time);
        _listener = listener;
        _time = time;
        _logger = logger;
    }

    public Assignment Assignment { get; }

    public SessionLog Log { get; }

    /// <summary>Completes when the training thread has ended and its outcome is in <see cref="Log"/>.</summary>
    public Task Ended => _ended.Task;

    public void Start() => new Thread(Train) { Name = $"training {Assignment.JobId}", IsBackground = true }.Start();

    /// <summary>Ends the job at a checkpoint after the current round, on all ranks together.</summary>
    public void RequestStop() => _stop = true;

    /// <summary>Drops the generation: whatever blocks on a peer wakes up, and the thread ends without an outcome that counts.</summary>
    public void Abort() => _abort.Cancel();

    /// <summary>After <see cref="Ended"/>.</summary>
    public void Dispose() => _abort.Dispose();

    private void Train()
    {
        try
        {
            Log.End(RunJob());
        }
        catch (BadInputException wrong)
        {
            Log.End(Failed(wrong.Message));
        }
        catch (CheckpointFailedException unsaved)
        {
            Log.End(Failed(unsaved.Message));
        }
        catch (MeshFaultException fault)
        {
            LogFault(Assignment, fault.Message);
            Log.End(Failed(fault.Message, fault.Fault.Rank));
        }
        catch (OperationCanceledException) when (_abort.IsCancellationRequested)
        {
            Log.End(Failed("this generation was dropped"));
        }
        catch (Exception unexpected)
        {
            // A broken invariant or a fault of a native library: the log has the details, the user gets the sentence.
            LogCrash(Assignment, unexpected);
            Log.End(Failed($"{unexpected.GetType().Name}: {unexpected.Message}"));
        }
        finally
        {
            _ended.TrySetResult();
        }
    }

    private Outcome RunJob()
    {
        var submission = Assignment.Submission;
        var spec = SpecReader.Read(submission.SpecText, $"the spec of {Assignment.JobId}", []).Spec
            ?? throw new BadInputException($"the spec of {Assignment.JobId} cannot be read by this worker; is it of another version?");
        var device = ComputeDevice.Prepare(spec);

        using var method = TrainingMethods.Create(spec, submission.DataRoots, device);
        using var mesh = new Mesh(
            new MeshMembership(
                Assignment.JobId,
                Assignment.Generation,
                Assignment.Rank,
                [.. Assignment.Members.Select(member => MeshMembership.EndPointOf(member.Host, member.Port))],
                Assignment.Secret),
            _listener);
        using var aborted = _abort.Token.Register(() => mesh.Abort("the generation was dropped"));

        var environment = TrainerEnvironment.Describe(device);
        var counters = new RoundCounters(method.State.Counters);
        using var checkpoints = _checkpoints = Assignment.Rank == 0
            ? JobCheckpoints.Open(Assignment, spec, method.State, environment, _time, Log)
            : null;
        mesh.Connect();
        using var loop = new RoundLoop(method, mesh, spec, this);
        Log.Rounds = method.Rounds;
        var end = loop.Run(() => _stop);
        if (end is LoopEnd.TooManySkips skips)
        {
            // All ranks come to this end together. Rank 0 is heard first: it alone has the last samples and the checkpoint.
            return Failed(skips.Reason, Assignment.Rank == 0 ? null : 0);
        }

        checkpoints?.SaveLast(counters);
        return new Outcome(
            end is LoopEnd.Stopped ? JobState.Cancelled : JobState.Succeeded,
            end is LoopEnd.Stopped ? "stopped at a checkpoint, as asked" : null,
            WeightsHash.Of(method.State.Layout, method.State.Buffers[0].Buffer),
            environment);
    }

    void IRoundObserver.Began(RoundCounters counters) => Log.Began(counters);

    void IRoundObserver.LeavesComputed(int count) => Log.LeavesComputed(count);

    void IRoundObserver.Committed(RoundCounters counters, in Tally tally, RoundResult result)
    {
        Log.Committed(counters, tally, result);
        _checkpoints?.AfterRound(counters);
    }

    void IRoundObserver.Evaluated(RoundCounters counters, in Tally tally) => Log.Evaluated(counters, tally);

    private static Outcome Failed(string reason, int? lostPeer = null) =>
        new(JobState.Failed, reason, null, ImmutableDictionary<string, string>.Empty, lostPeer);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Assignment} ended by a fault of the data plane: {Reason}")]
    private partial void LogFault(Assignment assignment, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Assignment} ended by an unexpected error")]
    private partial void LogCrash(Assignment assignment, Exception exception);
}
