using Cluster.Contracts.Spec.Continual;

namespace Cluster.Contracts.Spec;

/// <summary>Where a spec names uploaded files (<see cref="Uploads"/>): the file of a module, and files of text.</summary>
public static class UploadChecks
{
    /// <summary>Names with the keys under which they stand.</summary>
    public static IEnumerable<(string Key, string Name)> NamedIn(JobSpec spec) =>
        from path in Paths(spec)
        let name = Uploads.NameOf(path.Path)
        where name is not null
        select (path.Key, name);

    internal static void All(JobSpec spec, SpecReport report)
    {
        foreach (var (key, path) in Paths(spec))
        {
            if (Uploads.NameOf(path) is { } name && !Ids.IsValid(name)) { report.Broken(key, Quote.Show(path), $"{Uploads.Prefix} and the name of an uploaded file: {Ids.Rule}"); }
        }

        foreach (var (key, data) in Data(spec))
        {
            var folder = data switch
            {
                DataSpec.Digits digits => digits.Path,
                DataSpec.Mnist mnist => mnist.Path,
                DataSpec.FashionMnist fashion => fashion.Path,
                DataSpec.Cifar10 cifar => cifar.Path,
                DataSpec.Tokens tokens => tokens.Path,
                DataSpec.Vowels vowels => vowels.Path,
                DataSpec.Graph graph => graph.Path,
                _ => null,
            };
            if (folder is not null && Uploads.NameOf(folder) is not null)
            {
                report.Broken($"{key}.path", Quote.Show(folder), $"a folder: {SpecNames.Of(data.GetType())} is more than one file, and files are uploaded one by one");
            }
        }
    }

    private static IEnumerable<(string Key, string Path)> Paths(JobSpec spec)
    {
        if (spec.Model is ModelSpec.TorchScript { File: { } file }) { yield return ("model.file", file); }
        foreach (var (key, data) in Data(spec))
        {
            if (data is not DataSpec.Text { Files: { } files }) { continue; }
            foreach (var (index, path) in files.Index().Where(item => item.Item is not null)) { yield return ($"{key}.files[{index}]", path); }
        }
    }

    private static IEnumerable<(string Key, DataSpec Data)> Data(JobSpec spec)
    {
        if (spec.Data is { } data) { yield return ("data", data); }
        foreach (var (index, stage) in ((IEnumerable<ContinualStageSpec>?)spec.Continual?.Stages ?? []).Index().Where(item => item.Item?.Data is not null)) { yield return ($"continual.stages[{index}].data", stage.Data); }
    }
}
