using System.Text;
using Cluster.Contracts;
using Cluster.Contracts.Lineage;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.Models;

namespace Cluster.Cli.Continual;

/// <summary>Finds the checkpoint that is meant, and shows what its model writes.</summary>
internal static class GeneratedText
{
    /// <summary>A checkpoint as it is; of a job's folder the release of that name, else the newest release, else the newest checkpoint.</summary>
    /// <param name="path">Of a checkpoint or of a job's folder.</param>
    /// <exception cref="BadInputException">There is none.</exception>
    public static string Find(string path, string? release)
    {
        var places = CheckpointStore.List(path);
        if (places.IsEmpty)
        {
            if (release is not null) { throw new BadInputException($"{path} is no job's folder with checkpoints, so it has no release {release}"); }
            return path;
        }

        var known = places.Concat(Apart(path)).Select(place => (place.Path, Node: NodeOf(place))).ToArray();
        var releases = known.Where(k => k.Node is { Kind: NodeKind.Release } node && (release is null || node.Release == release)).OrderByDescending(k => k.Node!.Step).ToArray();
        if (releases.Length > 0) { return releases[0].Path; }
        return release is null
            ? places[0].Path
            : throw new BadInputException($"{path} has no release {release}; it has {string.Join(", ", known.Where(k => k.Node?.Kind == NodeKind.Release).Select(k => k.Node!.Release).DefaultIfEmpty("none"))}");
    }

    /// <summary>The checkpoints of branches that are jobs of their own, beside the job's folder.</summary>
    private static IEnumerable<CheckpointPlace> Apart(string path) =>
        SpecReader.ReadFile(Path.Combine(path, JobLayout.Spec)).Spec?.Continual is { } continual
            ? BranchJobs.FoldersOf(continual, path).SelectMany(folder => CheckpointStore.List(folder))
            : [];

    /// <summary>Prompt and continuation, as they come.</summary>
    public static void Write(TextGenerator generator, string prompt, int tokens, Sampling sampling, TextWriter into)
    {
        var begin = new List<int>();
        generator.Tokenizer.Encode(Encoding.UTF8.GetBytes(prompt), begin);
        var decoder = Encoding.UTF8.GetDecoder(); // A character may be several tokens.
        into.Write(Printable(prompt));
        foreach (var next in generator.Continue(begin, tokens, sampling))
        {
            var bytes = generator.Tokenizer.BytesOf(next);
            var characters = new char[bytes.Length + 1]; // One may have been begun before.
            var count = decoder.GetChars(bytes, characters, flush: false);
            into.Write(Printable(new string(characters, 0, count)));
        }

        into.WriteLine();
    }

    /// <summary>A model may write any byte; a terminal gets no control characters but line ends and tabs.</summary>
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) && c is not ('\n' or '\t') ? '\uFFFD' : c));

    private static LineageNode? NodeOf(CheckpointPlace place)
    {
        try { return Checkpoint.ReadManifest(place.Path).Lineage; }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException) { return null; }
    }
}
