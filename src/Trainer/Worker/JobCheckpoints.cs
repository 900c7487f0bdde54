using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Lineage;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;

namespace Cluster.Trainer.Worker;

/// <summary>
/// A job's checkpoints as rank 0 keeps them: which one to go on from, when to write, and what to tell the user.
/// </summary>
internal sealed class JobCheckpoints : IDisposable
{
    private readonly CheckpointWriter _writer;
    private readonly string _directory;
    private readonly CheckpointSpec _spec;
    private readonly IRoundMethod _method;
    private readonly SessionLog _log;

    private JobCheckpoints(CheckpointWriter writer, string directory, CheckpointSpec spec, IRoundMethod method, SessionLog log) =>
        (_writer, _directory, _spec, _method, _log) = (writer, directory, spec, method, log);

    /// <summary>Makes ready to write checkpoints, and goes on from the newest intact one where the job began before.</summary>
    /// <param name="isFresh">The state is that of round 0: nothing was computed or received yet.</param>
    /// <exception cref="BadInputException">There is nothing intact to resume from, or no checkpoint can be kept there.</exception>
    public static JobCheckpoints Open(
        Assignment assignment, JobSpec spec, IRoundMethod method, IReadOnlyDictionary<string, string> environment, bool isFresh, TimeProvider time, SessionLog log)
    {
        var submission = assignment.Submission;
        var restored = isFresh && (submission.Resume || submission.Trunk is not null || assignment.Generation > 1) ? Restore(assignment, method.State, log) : null;
        if (restored is null && spec.Continual?.BranchOf is { } branch) { log.Notice($"release {branch.Release} forks from {branch.Checkpoint}"); }
        var job = new CheckpointJob(
            assignment.JobId, spec.Name, SpecSummary.MethodOf(spec), submission.SpecHash, submission.SpecText, environment) { Earlier = OrderRecord.Earlier(submission.Orders) };
        var writer = CheckpointWriter.Open(submission.Directory, job, spec.Checkpoint.Keep, restored is null ? null : Path.GetFileName(restored.Path), time, new Disk(), out var notices, restored?.Manifest.Lineage);
        foreach (var notice in notices) { log.Notice(notice); }
        if (OrderRecord.Write(submission) is { } problem) { log.Notice(problem); }
        return new JobCheckpoints(writer, submission.Directory, spec.Checkpoint, method, log);
    }

    /// <summary>
    /// The checkpoint it goes on from. Null when there is none, which is no fault of a job that lost its workers before its first
    /// checkpoint, or of a branch, which may be new.
    /// </summary>
    private static Checkpoint? Restore(Assignment assignment, MethodState state, SessionLog log)
    {
        var submission = assignment.Submission;
        var search = CheckpointStore.FindNewestIntact(submission.Directory, assignment.JobId, submission.SpecHash, state, OrderRecord.Earlier(submission.Orders));
        foreach (var refusal in search.Refusals) { log.Notice($"{refusal.Path} was passed over: {refusal.Reason}"); }
        if (search.Found is not { } checkpoint)
        {
            if (!submission.Resume) { return null; }
            throw new BadInputException($"there is no intact checkpoint in {CheckpointStore.FolderOf(submission.Directory)} to resume from; run without --resume to begin again");
        }

        checkpoint.Load(state);
        log.Checkpoint = checkpoint.Path;
        log.Notice($"goes on from {checkpoint.Path}, after round {checkpoint.Manifest.Round}");
        return checkpoint;
    }

    /// <summary>
    /// Saves when it is due. A disk that is still busy with the one before is not waited for. Nothing is saved while rounds are
    /// skipped: the weights are those that give no finite loss, and to keep them would push out the last good ones. A milestone
    /// is saved when it has been evaluated.
    /// </summary>
    public void AfterRound(RoundCounters counters)
    {
        var node = _method.NodeAfter(counters.Round);
        var due = _spec.EveryRounds > 0 && counters.Round % _spec.EveryRounds == 0 && counters.SkippedInARow == 0 && node is not { IsMilestone: true };
        if (due && !_writer.TrySnapshot(_method.State, counters.Round, counters.SamplesSeen, node))
        {
            _log.Notice($"the checkpoint of round {counters.Round} was left out: the disk is still writing the one before");
        }

        TellResults();
    }

    /// <summary>
    /// Keeps what was measured; and a milestone with it, which is waited for, as nothing else has that state. Where the disk fails,
    /// the user is told, and training goes on.
    /// </summary>
    public void AfterEvaluation(RoundCounters counters, IReadOnlyList<Evaluation> evaluations)
    {
        var scores = evaluations.Where(e => e.Values is null).ToImmutableSortedDictionary(
            e => e.Set, e => new SetScore(e.Tally.MeanLoss, e.Tally.Accuracy, e.Tally.Weight), StringComparer.Ordinal);
        var node = _method.NodeAfter(counters.Round);
        var values = evaluations.SelectMany(e => e.Values ?? []).ToImmutableSortedDictionary(StringComparer.Ordinal);
        var record = new EvaluationRecord(counters.Round, counters.SamplesSeen, node, scores) { Values = values.IsEmpty ? null : values };
        if (EvaluationFile.Append(_directory, record) is { } problem) { _log.Notice(problem); }
        if (node is { IsMilestone: true }) { _writer.SaveOrFail(_method.State, counters.Round, counters.SamplesSeen, node with { Scores = scores }); }
        TellResults();
    }

    /// <summary>Saves the state in hand and returns when it is safe.</summary>
    /// <exception cref="CheckpointFailedException">It could not be written.</exception>
    public void SaveLast(RoundCounters counters)
    {
        _writer.Save(_method.State, counters.Round, counters.SamplesSeen, _method.NodeAfter(counters.Round));
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
