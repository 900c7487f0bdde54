using System.Text;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data;

/// <summary>Finds a data set's files under the roots, or says for every root why not.</summary>
internal static class DataSearch
{
    /// <summary>
    /// All files of the first alternative that is complete, from the first root that has a complete one. A file may be
    /// plain or end in <c>.gz</c>; the plain one goes first.
    /// </summary>
    /// <param name="path">The data set's folder as the spec names it; an absolute one is looked for as it is.</param>
    /// <param name="roots">See <see cref="DataRoots"/>.</param>
    /// <param name="alternatives">Sets of file names, any one of which will do.</param>
    /// <exception cref="BadInputException">No root has a complete set.</exception>
    public static IReadOnlyList<string> FindFiles(string path, IReadOnlyList<string> roots, params IReadOnlyList<IReadOnlyList<string>> alternatives)
    {
        var seen = new StringBuilder();
        foreach (var folder in Places(path, roots))
        {
            var best = alternatives.Select(names => Match(folder, names)).MinBy(match => match.Missing.Count)!;
            if (best.Missing.Count == 0) { return best.Found; }
            seen.Append("\n  ").Append(folder).Append(": ").Append(
                Directory.Exists(folder) ? $"has no {string.Join(", ", best.Missing)}" :
                File.Exists(folder) ? "a file, not a folder" : "no such folder");
        }

        var wanted = string.Join(", or ", alternatives.Select(names => string.Join(", ", names)));
        throw new BadInputException($"data set '{path}' not found: a folder with {wanted} (plain or .gz). Looked in:{seen}\n{WhatToDo(path)}");
    }

    /// <summary>One file, by the path in the spec, under the first root that has it; an uploaded one, in the folder of uploads among the roots.</summary>
    /// <exception cref="BadInputException">No root has it.</exception>
    public static string FindFile(string path, IReadOnlyList<string> roots)
    {
        if (Uploads.NameOf(path) is { } name)
        {
            return roots.Select(root => Uploads.Find(root, name)).OfType<FileInfo>().FirstOrDefault()?.FullName ?? throw new BadInputException(
                $"'{path}' is no file that was uploaded here: hand it to a cluster with 'cluster upload', and the job to the same cluster with 'cluster submit'");
        }

        var places = Places(path, roots);
        if (places.FirstOrDefault(File.Exists) is { } found) { return found; }

        var seen = string.Concat(places.Select(place => $"\n  {place}: {(Directory.Exists(place) ? "a folder, not a file" : "no such file")}"));
        throw new BadInputException($"data file '{path}' not found. Looked in:{seen}\n{WhatToDo(path)}");
    }

    /// <summary>One folder, in the same way.</summary>
    /// <exception cref="BadInputException">No root has it.</exception>
    public static string FindFolder(string path, IReadOnlyList<string> roots)
    {
        var places = Places(path, roots);
        return places.FirstOrDefault(Directory.Exists)
            ?? throw new BadInputException($"folder '{path}' not found. Looked for:{string.Concat(places.Select(place => $"\n  {place}"))}");
    }

    private static List<string> Places(string path, IReadOnlyList<string> roots) =>
        Path.IsPathFullyQualified(path) ? [Path.GetFullPath(path)] : [.. roots.Select(root => Path.GetFullPath(path, root))];

    private static (List<string> Found, List<string> Missing) Match(string folder, IReadOnlyList<string> names)
    {
        var (found, missing) = (new List<string>(), new List<string>());
        foreach (var name in names)
        {
            var plain = Path.Combine(folder, name);
            var packed = plain + ".gz";
            if (File.Exists(plain)) { found.Add(plain); }
            else if (File.Exists(packed)) { found.Add(packed); }
            else { missing.Add(Directory.Exists(plain) ? $"file {name} (it is a folder)" : name); }
        }

        return (found, missing);
    }

    private static string WhatToDo(string path)
    {
        var name = DataCatalog.Holding(path)?.Name;
        var fetch = name is null ? "Name" : $"Fetch it with 'cluster data get {name}', or name";
        return $"{fetch} the folder that holds '{path}' with --data DIR or the environment variable {DataRoots.Variable}.";
    }
}
