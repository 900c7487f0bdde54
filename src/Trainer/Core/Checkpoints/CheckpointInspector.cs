using System.Collections.Immutable;
using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>Describes a checkpoint, a job's checkpoints, or any float32 safetensors file, whole or damaged. Reads only.</summary>
internal static class CheckpointInspector
{
    /// <exception cref="BadInputException">The path is none of these.</exception>
    public static CheckpointReport Inspect(string path)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        try
        {
            if (File.Exists(path)) { return InspectFile(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path); }
            if (!Directory.Exists(path)) { throw new BadInputException($"{path} does not exist"); }
            // A job's folder holds a spec.yaml as a checkpoint does, so it is asked for first.
            if (CheckpointStore.FolderOf(path) is var folder && Directory.Exists(folder)) { return InspectJob(folder); }
            return JobLayout.RoundOf(Path.GetFileName(path)) is not null || JobLayout.CheckpointFiles.Any(name => File.Exists(Path.Combine(path, name)))
                ? InspectCheckpoint(path)
                : InspectJob(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path} cannot be read: {e.Message}");
        }
    }

    private static CheckpointReport InspectJob(string folder)
    {
        var places = CheckpointStore.ListFolder(folder);
        if (places.IsEmpty)
        {
            throw new BadInputException($"{folder} holds no checkpoint; name a checkpoint ({JobLayout.CheckpointOf(120)}), a job's folder or a .safetensors file");
        }

        var lines = places.Select(Line).ToImmutableArray();
        var shown = lines.FirstOrDefault(line => line.Problem is null) ?? lines[0];
        return InspectCheckpoint(shown.Path) with { Checkpoints = lines };
    }

    private static CheckpointLine Line(CheckpointPlace place)
    {
        try
        {
            var bytes = new DirectoryInfo(place.Path).EnumerateFiles().Sum(f => f.Length);
            return new CheckpointLine(place.Path, place.Round, bytes, Problem(() => Checkpoint.Open(place.Path)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new CheckpointLine(place.Path, place.Round, 0, e.Message);
        }
    }

    private static CheckpointReport InspectCheckpoint(string path)
    {
        CheckpointManifest? manifest = null;
        var inManifest = Problem(() => manifest = Checkpoint.ReadManifest(path));
        var expected = manifest?.Files.ToDictionary(f => f.Name) ?? [];
        var files = JobLayout.CheckpointFiles.Select(name => Describe(path, name, expected.GetValueOrDefault(name), inManifest)).ToImmutableArray();

        (ImmutableArray<TensorReport> Tensors, ImmutableSortedDictionary<string, string> Metadata) model = ([], ImmutableSortedDictionary<string, string>.Empty);
        var inModel = Problem(() => model = ReadTensors(Path.Combine(path, JobLayout.Model)));
        string?[] problems = [.. files.Select(f => f.Problem), files[0].Problem is null ? inModel : null];
        return new CheckpointReport(
            path, manifest, manifest?.Parameters ?? Parameters(model.Metadata), files, model.Tensors, model.Metadata,
            [.. problems.OfType<string>()], Checkpoints: []);
    }

    private static FileReport Describe(string path, string name, ManifestFile? expected, string? inManifest)
    {
        ManifestFile? found = null;
        var inFile = Problem(() => found = Checkpoint.Measure(path, name));
        var problem = inFile
            ?? (name == JobLayout.Manifest ? inManifest : null)
            ?? (expected is not null ? Checkpoint.Difference(found!, expected) : null);
        return new FileReport(name, found?.Bytes ?? 0, found?.Sha256, problem);
    }

    private static CheckpointReport InspectFile(string path)
    {
        try
        {
            var (tensors, metadata) = ReadTensors(path);
            var (name, bytes, sha256) = Checkpoint.Measure(Path.GetDirectoryName(path)!, Path.GetFileName(path));
            return new CheckpointReport(
                path, Manifest: null, Parameters(metadata), [new FileReport(name, bytes, sha256, Problem: null)],
                tensors, metadata, Problems: [], Checkpoints: []);
        }
        catch (InvalidDataException e)
        {
            throw new BadInputException(e.Message);
        }
    }

    private static (ImmutableArray<TensorReport>, ImmutableSortedDictionary<string, string>) ReadTensors(string path)
    {
        using var file = SafeTensorsFile.Open(path);
        return ([.. file.Header.Tensors.Select(t => TensorStatistics.Of(file, t))], file.Header.Metadata);
    }

    private static long? Parameters(ImmutableSortedDictionary<string, string> metadata) =>
        long.TryParse(metadata.GetValueOrDefault("parameters"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : null;

    /// <summary>What went wrong, in words; null when nothing did.</summary>
    private static string? Problem(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return e.Message;
        }
    }
}
