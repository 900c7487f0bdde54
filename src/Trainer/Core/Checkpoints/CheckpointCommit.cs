using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;
using Cluster.Contracts.Lineage;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>
/// Puts one checkpoint on disk so that its name stands for a whole one at every moment: all files are written and synced in a
/// folder beside, and one rename makes it visible.
/// </summary>
internal sealed class CheckpointCommit(string folder, CheckpointJob job, IDisk disk, TimeProvider clock)
{
    internal readonly record struct Committed(string Path, string WeightsSha256, long Bytes, ImmutableArray<string> Notices);

    public string Folder => folder;

    /// <param name="state">Buffers on the CPU that nobody changes meanwhile.</param>
    /// <exception cref="IOException">It could not be written; nothing of it is left unless deleting failed too.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, for want of permission.</exception>
    public Committed Write(MethodState state, long round, long samplesSeen, string? parent, LineageNode? node)
    {
        var place = Path.Combine(folder, JobLayout.CheckpointOf(round));
        var weights = WeightsHash.Of(state.Layout, state.Buffers[0].Buffer);
        var there = Find(place);
        var isSameState = there is not null && IsSame(there, state, weights);
        if (isSameState && !(node is { IsMilestone: true } && there!.Lineage is not { IsMilestone: true })) { return new Committed(place, weights, 0, []); }

        var partial = Path.Combine(folder, CheckpointNames.PartialOf(round));
        var notices = ImmutableArray<string>.Empty;
        long bytes;
        try
        {
            if (Directory.Exists(partial)) { Retention.DeleteOurs(partial, disk); } // From a failure that could not be cleaned up.
            disk.CreateDirectory(partial);
            bytes = WriteFiles(partial, state, weights, round, samplesSeen, isSameState ? there!.Parent : parent, node);
            disk.SyncDirectory(partial);
            var (aside, notice) = Directory.Exists(place) ? SetAside(place) : default;
            disk.MoveDirectory(partial, place);
            if (isSameState) { TryDelete(aside); }
            else if (notice is not null) { notices = [notice]; }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(partial);
            throw;
        }

        disk.SyncDirectory(folder);
        return new Committed(place, weights, bytes, notices);
    }

    private long WriteFiles(string partial, MethodState state, string weights, long round, long samplesSeen, string? parent, LineageNode? node)
    {
        var about = new Dictionary<string, string>
        {
            ["format"] = "pt", // What Python's loaders ask for: row-major tensors.
            ["job"] = job.Id,
            ["round"] = round.ToString(CultureInfo.InvariantCulture),
            ["parameters"] = state.Layout.ParameterCount.ToString(CultureInfo.InvariantCulture),
        };
        ImmutableArray<ManifestFile> files =
        [
            WriteFile(partial, JobLayout.Model, sink => StateTensors.Write(StateTensors.Model(state), about, sink)),
            WriteFile(partial, JobLayout.Optimizer, sink => StateTensors.Write(StateTensors.Optimizer(state), about, sink)),
            WriteFile(partial, JobLayout.Spec, sink => sink(Encoding.UTF8.GetBytes(job.SpecText))),
        ];
        var manifest = new CheckpointManifest
        {
            FormatVersion = CheckpointManifest.CurrentFormat,
            Job = job.Id,
            SpecName = job.SpecName,
            Method = job.Method,
            SpecHash = job.SpecHash,
            Round = round,
            Parent = parent,
            Lineage = node,
            SamplesSeen = samplesSeen,
            Counters = state.Counters.ToImmutableSortedDictionary(StringComparer.Ordinal),
            Parameters = state.Layout.ParameterCount,
            WeightsSha256 = weights,
            WrittenUtc = clock.GetUtcNow(),
            Files = files,
            Environment = job.Environment.ToImmutableSortedDictionary(StringComparer.Ordinal),
        };
        var last = WriteFile(partial, JobLayout.Manifest, sink => sink(manifest.Encode()));
        return files.Sum(f => f.Bytes) + last.Bytes;
    }

    private ManifestFile WriteFile(string partial, string name, Action<Action<ReadOnlySpan<byte>>> write)
    {
        using var file = disk.CreateFile(Path.Combine(partial, name));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var bytes = 0L;
        write(piece =>
        {
            file.Write(piece);
            hash.AppendData(piece);
            bytes += piece.Length;
        });
        disk.Sync(file);
        return new ManifestFile(name, bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <summary>The job's checkpoint that has the name; null where there is none, or a damaged one, which will be set aside.</summary>
    /// <exception cref="IOException">Another job's checkpoint has the name: it must not be moved.</exception>
    private CheckpointManifest? Find(string place)
    {
        if (!Directory.Exists(place)) { return null; }
        CheckpointManifest found;
        try { found = Checkpoint.Open(place).Manifest; }
        catch (InvalidDataException) { return null; }

        return job.Has(found) ? found : throw new IOException($"{place} is a checkpoint of job '{found.Job}' with another spec; it is not replaced.");
    }

    /// <summary>
    /// Whether this very state was saved before, as when a job is stopped right after it was resumed. It is saved once more where it
    /// has become a milestone since: a release was ordered that forks from it.
    /// </summary>
    private static bool IsSame(CheckpointManifest found, MethodState state, string weights) =>
        found.WeightsSha256 == weights && state.As(found.Counters).Counters.OrderBy(c => c.Key).SequenceEqual(found.Counters.OrderBy(c => c.Key));

    /// <summary>A damaged checkpoint of the same round, or one with other weights, makes way under another name. Such a one is never deleted.</summary>
    private (string Path, string Notice) SetAside(string place)
    {
        var number = 1;
        while (Path.Exists($"{place}.replaced-{number}")) { number++; }
        var aside = $"{place}.replaced-{number}";
        disk.MoveDirectory(place, aside);
        return (aside, $"{Path.GetFileName(place)} was there already and differs from what this job computed, or is damaged; it is now {Path.GetFileName(aside)}.");
    }

    /// <summary>The failure that led here is the one to report; a folder that stays is swept when the job next starts.</summary>
    private void TryDelete(string partial)
    {
        try { Retention.DeleteOurs(partial, disk); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { }
    }
}
