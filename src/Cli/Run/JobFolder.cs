using System.Globalization;
using System.Text.RegularExpressions;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Cli.Run;

/// <summary>
/// A job's place in a store: <c>STORE/jobs/NAME-N/</c> with <c>spec.yaml</c>, <c>checkpoints/</c> and <c>logs/</c>. N counts
/// the runs of that name, so that running a spec twice never touches the first run's files.
/// </summary>
internal sealed partial class JobFolder
{
    private JobFolder(string path, string id)
    {
        Path = path;
        Id = id;
    }

    public string Id { get; }

    public string Path { get; }

    public string Logs => System.IO.Path.Combine(Path, JobLayout.Logs);

    private string SpecPath => System.IO.Path.Combine(Path, JobLayout.Spec);

    /// <exception cref="BadInputException">No job can be kept there.</exception>
    public static void MakeReady(string store)
    {
        try
        {
            Directory.CreateDirectory(System.IO.Path.Combine(store, JobLayout.Jobs));
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BadInputException($"--store: {store} cannot hold jobs: {(File.Exists(store) ? "it is a file, not a folder" : reason.Message)}");
        }
    }

    /// <summary>The next free folder for this spec's name.</summary>
    public static JobFolder Create(string store, JobSpec spec)
    {
        var jobs = Directory.CreateDirectory(System.IO.Path.Combine(store, JobLayout.Jobs)).FullName;
        for (var number = Numbers(jobs, spec.Name).DefaultIfEmpty(0).Max() + 1; ; number++)
        {
            var folder = At(jobs, spec.Name, number);
            if (Directory.Exists(folder.Path)) { continue; }
            Directory.CreateDirectory(folder.Logs);
            File.WriteAllText(folder.SpecPath, SpecText.Write(spec));
            return folder;
        }
    }

    /// <summary>The newest folder of this spec's name, which must be of the same spec and hold an intact checkpoint.</summary>
    /// <exception cref="BadInputException">There is none, it is of another spec, or nothing in it can be gone on from.</exception>
    public static JobFolder Newest(string store, JobSpec spec)
    {
        var jobs = System.IO.Path.GetFullPath(System.IO.Path.Combine(store, JobLayout.Jobs));
        var newest = Directory.Exists(jobs) ? Numbers(jobs, spec.Name).DefaultIfEmpty(0).Max() : 0;
        if (newest == 0) { throw new BadInputException($"--resume: the store {jobs} holds no job named {spec.Name}. Run without --resume to begin one, or name its store with --store"); }

        var folder = At(jobs, spec.Name, newest);
        var saved = SpecReader.ReadFile(folder.SpecPath, []).Spec
            ?? throw new BadInputException($"--resume: {folder.SpecPath} is damaged, so it cannot be told whether it is the same job");
        if (ChangedStage(saved, spec) is { } stage)
        {
            throw new BadInputException($"--resume: the data of stage '{stage}' changed since {folder.Path} recorded them; give the stage the data it was trained on, or begin another job without --resume");
        }

        if ((saved.Model, spec.Model) is (ModelSpec.TorchScript was, ModelSpec.TorchScript now) && was.File == now.File && was.Sha256 != now.Sha256)
        {
            throw new BadInputException($"--resume: {now.File} changed since {folder.Path} recorded it; give the job the file it was begun with, or begin another job without --resume");
        }

        if (SpecHash.Of(saved) != SpecHash.Of(spec))
        {
            throw new BadInputException(
                $"--resume: {folder.Path} is the job of another spec, and its checkpoints would not fit this one. Differing lines (saved, then now):{Environment.NewLine}{Difference(saved, spec)}{Environment.NewLine}Give the job the settings it was begun with, or run without --resume");
        }

        var search = CheckpointStore.FindNewestIntact(folder.Path, folder.Id, SpecHash.Of(spec), state: null);
        if (search.Found is null)
        {
            var refusals = string.Concat(search.Refusals.Select(refusal => $"{Environment.NewLine}  {refusal.Notice}"));
            throw new BadInputException($"--resume: {folder.Path} holds no intact checkpoint; run without --resume to begin again{refusals}");
        }

        Directory.CreateDirectory(folder.Logs);
        return folder;
    }

    private static JobFolder At(string jobs, string name, int number)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{name}-{number}");
        return new JobFolder(System.IO.Path.Combine(jobs, id), id);
    }

    private static IEnumerable<int> Numbers(string jobs, string name) =>
        from path in Directory.EnumerateDirectories(jobs, $"{name}-*")
        let match = NumberAtEnd().Match(System.IO.Path.GetFileName(path))
        where match.Success && match.Groups["name"].Value == name
        select int.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture);

    /// <summary>A stage whose data are the same files with other bytes; null when there is none.</summary>
    private static string? ChangedStage(JobSpec saved, JobSpec spec) =>
        (saved.Continual?.Stages ?? []).Zip(spec.Continual?.Stages ?? [])
            .FirstOrDefault(pair => pair.First.Data == pair.Second.Data && pair.First.Sha256 != pair.Second.Sha256).First?.Name;

    private static string Difference(JobSpec saved, JobSpec now)
    {
        var before = SpecText.Write(saved).Split('\n');
        var after = SpecText.Write(now).Split('\n');
        return string.Join(Environment.NewLine, [.. before.Except(after).Select(line => $"  - {line}"), .. after.Except(before).Select(line => $"  + {line}")]);
    }

    [GeneratedRegex(@"^(?<name>.+)-(?<number>[1-9]\d{0,8})$")]
    private static partial Regex NumberAtEnd();
}
