namespace Cluster.Contracts.Spec.Continual;

/// <summary>
/// A continual spec with one more stage or release, checked as if it had stood there from the beginning. What is wrong with the
/// new part is said with its own file and line.
/// </summary>
public static class SpecExtension
{
    public const int MaxBytes = 64 << 10;

    /// <param name="spec">YAML of the job.</param>
    /// <param name="stage">YAML of one item of <c>continual.stages</c>.</param>
    /// <param name="fileName">What messages call it.</param>
    public static SpecResult Append(string spec, string stage, string fileName) => Extend(spec, "stages", typeof(ContinualStageSpec), stage, fileName, _ => { });

    /// <param name="release">YAML of one item of <c>continual.releases</c>; without <c>updates</c> it has those of the job's last release.</param>
    /// <param name="at">The update of the trunk after which it forks where it does not say.</param>
    public static SpecResult Release(string spec, string release, string fileName, long at) =>
        Extend(spec, "releases", typeof(ReleaseSpec), release, fileName, item =>
        {
            Default(item, "at", at);
            if (LastRelease(spec) is { } last) { Default(item, "updates", last.Updates); }
        });

    private static SpecResult Extend(string spec, string list, Type type, string text, string fileName, Action<SpecNode.Mapping> complete)
    {
        var start = new Place(fileName, 1);
        if (text.Length > MaxBytes) { return Failed(fileName, $"{text.Length} characters", $"at most {MaxBytes}"); }
        var report = new SpecReport();
        if (SpecParser.Parse(spec, new Place("the job's spec", 1), report) is not SpecNode.Mapping root || root.Find("continual") is not SpecNode.Mapping continual)
        {
            return Failed(fileName, "a job that is not continual: it has no trunk", "a job of method continual");
        }

        var item = SpecParser.Parse(text, start, report);
        if (item is null or SpecNode.Scalar { IsNull: true })
        {
            if (report.Count == 0) { report.Wrong("", start, "an empty file", SpecRules.InWords(type, [], isName: false)); }
            return new(null, report.Problems());
        }

        if (item is SpecNode.Mapping mapping) { complete(mapping); }
        if (continual.Find(list) is not SpecNode.Sequence items)
        {
            continual.Entries.RemoveAll(entry => entry.Key == list);
            continual.Entries.Add(new(list, start, items = new SpecNode.Sequence(start, [])));
        }

        items.Items.Add(item);
        return SpecReader.Bind(root, report);
    }

    private static void Default(SpecNode.Mapping item, string key, long value)
    {
        if (item.Find(key) is null) { item.Entries.Add(new(key, item.Place, new SpecNode.Scalar(item.Place, FormattableString.Invariant($"{value}"), plain: true))); }
    }

    private static ReleaseSpec? LastRelease(string spec) => SpecReader.Read(spec, "the job's spec").Spec?.Continual switch
    {
        { Releases: [.., var last] } => last,
        { Stages: var stages } => stages.Select(stage => stage.Release).LastOrDefault(release => release is not null),
        null => null,
    };

    private static SpecResult Failed(string source, string found, string allowed) => new(null, [new SpecProblem(source, 0, "", found, allowed)]);
}
