using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts;
using Cluster.Contracts.Lineage;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>
/// Saves a job's state while the rounds go on: the training thread only waits for a copy in memory, a background thread writes
/// the copy. One copy exists at a time, so the memory is that of one state.
/// </summary>
/// <remarks>
/// All calls come from the training thread, except <see cref="TryTakeResult"/>, which any thread may call. A disk that fails
/// costs a checkpoint and never the training.
/// </remarks>
internal sealed class CheckpointWriter : IDisposable
{
    private readonly CheckpointCommit _commit;
    private readonly Retention _retention;
    private readonly TimeProvider _clock;
    private readonly ConcurrentQueue<CheckpointResult> _results = new();
    private StateCopy? _copy;
    private readonly ParentLine _parents;
    private Task<CheckpointResult?> _writing = Task.FromResult<CheckpointResult?>(null);

    private CheckpointWriter(CheckpointCommit commit, Retention retention, ParentLine parents, TimeProvider clock)
    {
        _commit = commit;
        _retention = retention;
        _parents = parents;
        _clock = clock;
    }

    /// <summary>Makes <c>checkpoints/</c> ready and removes what a killed process left half-written.</summary>
    /// <param name="keep">How many intact checkpoints stay; older ones are deleted once a newer one is safe.</param>
    /// <param name="parent">Folder name of the checkpoint that the job goes on from; null at its beginning.</param>
    /// <param name="notices">What a person should know of the sweep.</param>
    /// <param name="parentNode">Of that checkpoint.</param>
    /// <exception cref="BadInputException">The folder cannot be made or written.</exception>
    public static CheckpointWriter Open(
        string jobDirectory, CheckpointJob job, int keep, string? parent, TimeProvider clock, IDisk disk, out ImmutableArray<string> notices, LineageNode? parentNode = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        var folder = CheckpointStore.FolderOf(jobDirectory);
        var retention = new Retention(folder, job, keep, disk);
        try
        {
            disk.CreateDirectory(folder);
            disk.SyncDirectory(jobDirectory);
            notices = retention.Sweep();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"checkpoints cannot be kept in {folder}: {e.Message} ({Disk.FreeSpace(folder)})");
        }

        return new CheckpointWriter(new CheckpointCommit(folder, job, disk, clock), retention, new ParentLine(parent, parentNode), clock);
    }

    /// <summary>
    /// Copies the state and lets it be written. Returns false, and does nothing, while the one before is still being written.
    /// </summary>
    /// <param name="round">Rounds committed.</param>
    /// <param name="node">What the state is among the job's lines of states, where there are several.</param>
    public bool TrySnapshot(MethodState state, long round, long samplesSeen, LineageNode? node = null)
    {
        if (!_writing.IsCompleted) { return false; }
        Start(state, round, samplesSeen, node);
        return true;
    }

    /// <summary>Waits for the one before, then saves the state and returns when it is safe on disk.</summary>
    /// <exception cref="CheckpointFailedException">It could not be written; the message is for people.</exception>
    public CheckpointResult.Saved Save(MethodState state, long round, long samplesSeen, LineageNode? node = null) =>
        SaveOrFail(state, round, samplesSeen, node) switch
        {
            CheckpointResult.Saved saved => saved,
            CheckpointResult.Failed failed => throw new CheckpointFailedException(failed.Reason),
            _ => throw new InvalidOperationException("a write ended without a result"),
        };

    /// <summary>Waits for the one before, then writes the state and returns when it is on disk, or when it is known why it is not.</summary>
    public CheckpointResult? SaveOrFail(MethodState state, long round, long samplesSeen, LineageNode? node)
    {
        Start(state, round, samplesSeen, node);
        return _writing.GetAwaiter().GetResult();
    }

    /// <summary>The results, each once, in the order of the rounds. Those of <see cref="Save"/> are among them.</summary>
    public bool TryTakeResult([NotNullWhen(true)] out CheckpointResult? result) => _results.TryDequeue(out result);

    private void Start(MethodState state, long round, long samplesSeen, LineageNode? node)
    {
        // Waits in Save alone; an error that is not the disk's is a bug, and ends the training here.
        if (_writing.GetAwaiter().GetResult() is CheckpointResult.Saved saved && saved.Round == round) { return; }

        var began = _clock.GetTimestamp();
        _copy ??= new StateCopy(state);
        var copy = _copy.Take(state);
        var copyTime = _clock.GetElapsedTime(began);
        _writing = Task.Factory.StartNew(
            () => (CheckpointResult?)Write(copy, round, samplesSeen, node, copyTime),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private CheckpointResult Write(MethodState copy, long round, long samplesSeen, LineageNode? node, TimeSpan copyTime)
    {
        var began = _clock.GetTimestamp();
        CheckpointResult result;
        try
        {
            var (path, weights, bytes, notices) = _commit.Write(copy, round, samplesSeen, _parents.Of(node), node);
            _parents.Saved(Path.GetFileName(path), node);
            result = new CheckpointResult.Saved(path, weights, bytes, copyTime, _clock.GetElapsedTime(began))
            {
                Round = round,
                Notices = [.. notices, .. _retention.Apply(round)],
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var needed = copy.Buffers.Sum(b => b.Buffer.Length) * sizeof(float);
            result = new CheckpointResult.Failed(
                $"The checkpoint of round {round} was not saved: {e.Message} (it needs {Disk.ByteText(needed)}, {Disk.FreeSpace(_commit.Folder)}). "
                + "The checkpoints before it are as they were.") { Round = round };
        }

        _results.Enqueue(result);
        return result;
    }

    /// <summary>Waits for a write that is under way.</summary>
    public void Dispose()
    {
        Task.WaitAny(_writing); // Unlike Wait, it does not throw what the task threw.
        _copy?.Dispose();
    }
}
