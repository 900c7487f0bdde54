using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Rounds;

namespace Cluster.Trainer.Worker;

/// <summary>
/// A job's checkpoints as rank 0 keeps them: which one to go on from, when to write, and what to tell the user.
/// </summary>
internal sealed class JobCheckpoints : IDisposable
{
    private readonly CheckpointWriter _writer;
    private readonly CheckpointSpec _spec;
    private readonly MethodState _state;
    private readonly SessionLog _log;

    private JobCheckpoints(CheckpointWriter writer, CheckpointSpec spec, MethodState state, SessionLog log) =>
        (_writer, _spec, _state, _log) = (writer, spec, state, log);

    /// <summary>Makes ready to write checkpoints, and goes on from the newest intact one where the job began before.</summary>
    /// <param name="isFresh">The state is that of round 0: nothing was computed or received yet.</param>
    /// <exception cref="BadInputException">There is nothing intact to resume from, or no checkpoint can be kept there.</exception>
    public static JobCheckpoints Open(
        Assignment assignment, JobSpec spec, MethodState state, IReadOnlyDictionary<string, string> environment, bool isFresh, TimeProvider time, SessionLog log)
    {
        var submission = assignment.Submission;
        var restored = isFresh && (submission.Resume || assignment.Generation > 1) ? Restore(assignment, state, log) : null;
        var job = new CheckpointJob(
            assignment.JobId, spec.Name, SpecSummary.MethodOf(spec), submission.SpecHash, submission.SpecText, environment);
        var writer = CheckpointWriter.Open(submission.Directory, job, spec.Checkpoint.Keep, restored, time, new Disk(), out var notices);
        foreach (var notice in notices) { log.Notice(notice); }
        return new JobCheckpoints(writer, spec.Checkpoint, state, log);
    }

    /// <summary>
    /// Folder name of the checkpoint it goes on from. Null when there is none, which is no fault of a job that lost its workers
    /// before its first checkpoint.
    /// </summary>
    private static string? Restore(Assignment assignment, MethodState state, SessionLog log)
    {
        var submission = assignment.Submission;
        var search = CheckpointStore.FindNewestIntact(submission.Directory, assignment.JobId, submission.SpecHash, state);
        foreach (var refusal in search.Refusals) { log.Notice($"{refusal.Path} was passed over: {refusal.Reason}"); }
        if (search.Found is not { } checkpoint)
        {
            if (!submission.Resume) { return null; }
            throw new BadInputException($"there is no intact checkpoint in {CheckpointStore.FolderOf(submission.Directory)} to resume from; run without --resume to begin again");
        }

        checkpoint.Load(state);
        log.Checkpoint = checkpoint.Path;
        log.Notice($"goes on from {checkpoint.Path}, after round {checkpoint.Manifest.Round}");
        return Path.GetFileName(checkpoint.Path);
    }

    /// <summary>
    /// Saves when it is due. A disk that is still busy with the one before is not waited for. Nothing is saved while rounds are
    /// skipped: the weights are those that give no finite loss, and to keep them would push out the last good ones.
    /// </summary>
    public void AfterRound(RoundCounters counters)
    {
        var due = _spec.EveryRounds > 0 && counters.Round % _spec.EveryRounds == 0 && counters.SkippedInARow == 0;
        if (due && !_writer.TrySnapshot(_state, counters.Round, counters.SamplesSeen))
        {
            _log.Notice($"the checkpoint of round {counters.Round} was left out: the disk is still writing the one before");
        }

        TellResults();
    }

    /// <summary>Saves the state in hand and returns when it is safe.</summary>
    /// <exception cref="CheckpointFailedException">It could not be written.</exception>
    public void SaveLast(RoundCounters counters)
    {
        _writer.Save(_state, counters.Round, counters.SamplesSeen);
        TellResults();
    }

    private void TellResults()
    {
        while (_writer.TryTakeResult(out var result))
        {
            foreach (var notice in result.Notices) { _log.Notice(notice); }
            switch (result)
            {
                case CheckpointResult.Saved saved: _log.Checkpoint = saved.Path; break;
                case CheckpointResult.Failed failed: _log.Notice(failed.Reason); break;
            }
        }
    }

    /// <summary>Waits for a write that is under way.</summary>
    public void Dispose()
    {
        _writer.Dispose();
        TellResults();
    }
}
