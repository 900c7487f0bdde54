using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Lineage;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>
/// Deletes old checkpoints, and only what this job wrote: folders of the right name, not links, with nothing foreign inside,
/// whose sealed manifest names this job and spec. Milestones of a lineage, and what others began from, stay.
/// </summary>
internal sealed class Retention(string folder, CheckpointJob job, int keep, IDisk disk)
{
    /// <summary>Rounds verified or written by this process; they are not read again.</summary>
    private readonly HashSet<long> _intact = [];

    /// <summary>What the manifests of checkpoints say of their place in a lineage, by round; each is read once.</summary>
    private readonly Dictionary<long, LineageNode?> _nodes = [];

    /// <summary>Folders that were left alone, so that each is reported once.</summary>
    private readonly HashSet<string> _reported = [];

    /// <summary>Keeps the checkpoint just written and the newest intact ones beside it, <c>keep</c> in all.</summary>
    /// <returns>What could not be deleted and why, in words.</returns>
    public ImmutableArray<string> Apply(long written)
    {
        if (new DirectoryInfo(folder).LinkTarget is not null) { return Report(folder, "is a link: no checkpoint in it is deleted"); }

        ImmutableArray<CheckpointPlace> places;
        try { places = CheckpointStore.ListFolder(folder); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return Report(folder, $"cannot be listed: {e.Message}"); }

        _intact.Add(written);
        var notices = ImmutableArray.CreateBuilder<string>();
        var kept = 1;
        var origins = places.Select(NodeOf).Where(node => node?.OriginJob is null).Select(node => node?.Origin).ToHashSet();
        foreach (var place in places.Where(p => p.Round != written && NodeOf(p) is not { IsMilestone: true } && !origins.Contains(p.Round)))
        {
            if (kept < keep) { kept += IsIntact(place) ? 1 : 0; }
            else { notices.AddRange(Delete(place)); }
        }

        return notices.ToImmutable();
    }

    /// <summary>Removes folders that a killed process left half-written or half-deleted.</summary>
    public ImmutableArray<string> Sweep()
    {
        if (new DirectoryInfo(folder).LinkTarget is not null) { return []; }
        var notices = ImmutableArray.CreateBuilder<string>();
        foreach (var partial in Directory.GetDirectories(folder).Where(d => CheckpointNames.IsPartial(Path.GetFileName(d))).Order(StringComparer.Ordinal))
        {
            try
            {
                if (IsAnothersPartial(partial)) { notices.AddRange(Report(partial, "is not this job's and is left alone")); }
                else { DeleteOurs(partial, disk); }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                notices.AddRange(Report(partial, $"could not be deleted: {e.Message}"));
            }
        }

        return notices.ToImmutable();
    }

    /// <summary>Deletes a folder whose only content is files of a checkpoint; anything else in it keeps it whole.</summary>
    public static void DeleteOurs(string path, IDisk disk)
    {
        if (!HasOnlyOurs(path)) { throw new IOException($"{path} holds things that are no part of a checkpoint."); }
        foreach (var file in Directory.GetFiles(path)) { disk.DeleteFile(file); }
        disk.DeleteDirectory(path);
    }

    private ImmutableArray<string> Delete(CheckpointPlace place)
    {
        try
        {
            if (!HasOnlyOurs(place.Path)) { return Report(place.Path, "is a link or holds things that are no part of a checkpoint; it is not deleted"); }
            var manifest = Checkpoint.ReadManifest(place.Path);
            if (!job.Has(manifest)) { return Report(place.Path, $"is of job '{manifest.Job}' or of another spec; it is not deleted"); }

            // First out of sight in one step: a reader sees the whole checkpoint or none.
            var hidden = Path.Combine(folder, CheckpointNames.PartialOf(place.Round));
            if (Directory.Exists(hidden)) { DeleteOurs(hidden, disk); }
            disk.MoveDirectory(place.Path, hidden);
            DeleteOurs(hidden, disk);
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return Report(place.Path, $"is not deleted: {e.Message}");
        }
    }

    private LineageNode? NodeOf(CheckpointPlace place)
    {
        if (_nodes.TryGetValue(place.Round, out var known)) { return known; }
        try { return _nodes[place.Round] = place.IsLink ? null : Checkpoint.ReadManifest(place.Path).Lineage; }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException) { return null; } // Deleting it will say what is wrong.
    }

    private bool IsIntact(CheckpointPlace place)
    {
        if (_intact.Contains(place.Round)) { return true; }
        try
        {
            if (place.IsLink || !job.Has(Checkpoint.Open(place.Path).Manifest)) { return false; }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return false; // It does not count, and so another one stays in its place.
        }

        return _intact.Add(place.Round);
    }

    /// <summary>A half-written folder may have no manifest yet; one that has must have ours, if it can be read.</summary>
    private bool IsAnothersPartial(string partial)
    {
        if (!HasOnlyOurs(partial)) { return true; }
        try { return !job.Has(Checkpoint.ReadManifest(partial)); }
        catch (InvalidDataException) { return false; }
    }

    private static bool HasOnlyOurs(string path) =>
        new DirectoryInfo(path) is { LinkTarget: null } directory
        && directory.EnumerateFileSystemInfos().All(e => e is FileInfo { LinkTarget: null } && JobLayout.CheckpointFiles.Contains(e.Name));

    private ImmutableArray<string> Report(string path, string what) => _reported.Add(path) ? [$"{Path.GetFileName(path)} {what}."] : [];
}
