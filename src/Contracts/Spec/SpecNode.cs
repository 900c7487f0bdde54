namespace Cluster.Contracts.Spec;

/// <summary>Where something was written: a file and its line, or an override (line 0).</summary>
internal readonly record struct Place(string Source, int Line);

/// <summary>YAML as a tree that remembers its lines. Overrides change it before it is bound to the spec records.</summary>
internal abstract class SpecNode(Place place)
{
    public Place Place { get; } = place;

    /// <summary>What a message calls it.</summary>
    public abstract string InWords { get; }

    /// <param name="plain">Written without quotes, so that it may be a number, true, false or null.</param>
    internal sealed class Scalar(Place place, string text, bool plain) : SpecNode(place)
    {
        public string Text { get; } = text;

        public bool Plain { get; } = plain;

        public bool IsNull => Plain && Text is "" or "~" or "null" or "Null" or "NULL";

        public override string InWords => IsNull ? "no value" : Plain ? Quote.Show(Text) : $"the text {Quote.Show(Text)}";
    }

    internal sealed class Sequence(Place place, List<SpecNode> items) : SpecNode(place)
    {
        public List<SpecNode> Items { get; } = items;

        public override string InWords => "a list";
    }

    internal sealed class Mapping(Place place, List<Entry> entries) : SpecNode(place)
    {
        public List<Entry> Entries { get; } = entries;

        public override string InWords => "a mapping of keys";

        public SpecNode? Find(string key) => Entries.Find(e => e.Key == key)?.Value;
    }

    internal sealed record Entry(string Key, Place Place, SpecNode Value);
}
