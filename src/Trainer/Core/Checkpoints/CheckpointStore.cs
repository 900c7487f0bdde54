using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>A folder with a checkpoint's name; nothing is known of what is inside.</summary>
internal readonly record struct CheckpointPlace(string Path, long Round, bool IsLink);

/// <summary>Why a checkpoint was not used.</summary>
internal enum RefusalKind { None = 0, Damaged, OtherJob, OtherSpec, OtherModel }

/// <param name="Reason">In words, without the path.</param>
internal sealed record CheckpointRefusal(string Path, RefusalKind Kind, string Reason)
{
    /// <summary>For people: "round-000000120 was refused: ...".</summary>
    public string Notice => $"{System.IO.Path.GetFileName(Path)} was refused: {Reason}.";
}

/// <param name="Found">Null when there is no usable checkpoint.</param>
/// <param name="Refusals">Newer ones that were passed over, newest first.</param>
internal sealed record CheckpointSearch(Checkpoint? Found, ImmutableArray<CheckpointRefusal> Refusals);

/// <summary>The checkpoints of a job's folder. Reads only, and may do so while the job writes.</summary>
internal static class CheckpointStore
{
    public static string FolderOf(string jobDirectory) => Path.Combine(jobDirectory, JobLayout.Checkpoints);

    /// <summary>Newest first.</summary>
    /// <exception cref="BadInputException">The folder cannot be read.</exception>
    public static ImmutableArray<CheckpointPlace> List(string jobDirectory)
    {
        var folder = FolderOf(jobDirectory);
        try
        {
            return Directory.Exists(folder) ? ListFolder(folder) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"the checkpoints in {folder} cannot be listed: {e.Message}");
        }
    }

    /// <summary>Newest first, for a <c>checkpoints</c> folder itself.</summary>
    public static ImmutableArray<CheckpointPlace> ListFolder(string folder) =>
    [
        .. from directory in new DirectoryInfo(folder).EnumerateDirectories()
           let round = JobLayout.RoundOf(directory.Name)
           where round is not null
           orderby round descending
           select new CheckpointPlace(directory.FullName, round.Value, directory.LinkTarget is not null),
    ];

    /// <summary>
    /// The newest checkpoint that is intact byte for byte, belongs to this job and spec, and fits the state. Those refused on
    /// the way are listed with the reason.
    /// </summary>
    /// <param name="state">Whose names and shapes must fit; null to leave that to <see cref="Load"/>.</param>
    /// <param name="earlier">Specs that the job had before, whose checkpoints it goes on from as far as they agree.</param>
    /// <exception cref="BadInputException">The folder cannot be read.</exception>
    public static CheckpointSearch FindNewestIntact(string jobDirectory, string jobId, string specHash, MethodState? state, IReadOnlyList<EarlierSpec>? earlier = null)
    {
        for (var passesLeft = 10; ; passesLeft--)
        {
            var refusals = ImmutableArray.CreateBuilder<CheckpointRefusal>();
            var vanished = false;
            foreach (var place in List(jobDirectory))
            {
                var (checkpoint, refusal) = Examine(place, jobId, specHash, state, earlier ?? []);
                if (refusal is null) { return new CheckpointSearch(checkpoint, refusals.ToImmutable()); }
                refusals.Add(refusal);
                vanished |= !Directory.Exists(place.Path);
            }

            // A running job deletes an old checkpoint only after it has written a newer one, so another look finds that one.
            if (!vanished || passesLeft == 0) { return new CheckpointSearch(null, refusals.ToImmutable()); }
        }
    }

    /// <summary>Opens, verifies and loads one checkpoint.</summary>
    /// <exception cref="BadInputException">It is damaged or does not fit; the message says why. So with the next three.</exception>
    public static Checkpoint Load(string path, MethodState into) => OrSay(path, () =>
    {
        var checkpoint = Checkpoint.Open(path);
        checkpoint.Load(into);
        return checkpoint;
    });

    /// <summary>Loads one that was opened.</summary>
    public static void Load(Checkpoint checkpoint, MethodState into) => OrSay(checkpoint.Path, () =>
    {
        checkpoint.Load(into);
        return checkpoint;
    });

    /// <summary>Opens and verifies one checkpoint.</summary>
    public static Checkpoint Open(string path) => OrSay(path, () => Checkpoint.Open(path));

    /// <summary>The model alone, without optimiser and counters.</summary>
    public static void LoadModel(Checkpoint checkpoint, Layout layout, FlatBuffer theta) => OrSay(checkpoint.Path, () =>
    {
        checkpoint.LoadModel(layout, theta);
        return checkpoint;
    });

    private static Checkpoint OrSay(string path, Func<Checkpoint> load)
    {
        try
        {
            return load();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new BadInputException($"the checkpoint {path} cannot be loaded: {e.Message}");
        }
    }

    private static (Checkpoint?, CheckpointRefusal?) Examine(
        CheckpointPlace place, string jobId, string specHash, MethodState? state, IReadOnlyList<EarlierSpec> earlier)
    {
        CheckpointRefusal Refuse(RefusalKind kind, string reason) => new(place.Path, kind, reason);

        if (place.IsLink) { return (null, Refuse(RefusalKind.Damaged, "it is a link; a job's checkpoints lie in its own folder")); }
        try
        {
            var checkpoint = Checkpoint.Open(place.Path);
            var found = checkpoint.Manifest;
            if (found.Job != jobId) { return (null, Refuse(RefusalKind.OtherJob, $"it belongs to job '{found.Job}', not to '{jobId}'")); }
            var before = earlier.FirstOrDefault(e => e.Hash == found.SpecHash);
            if (before?.AgreesUntil < found.Round)
            {
                return (null, Refuse(RefusalKind.OtherSpec, $"it was made before a release was ordered that forks after round {before.AgreesUntil}"));
            }

            if (found.SpecHash != specHash && before is null)
            {
                return (null, Refuse(RefusalKind.OtherSpec, $"it was made from another spec (hash {found.SpecHash}, now {specHash}); compare its {JobLayout.Spec}"));
            }

            return state is not null && checkpoint.Mismatch(state) is { } mismatch
                ? (null, Refuse(RefusalKind.OtherModel, mismatch))
                : (checkpoint, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return (null, Refuse(RefusalKind.Damaged, e.Message));
        }
    }
}
