using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Cluster.Contracts.Spec;

/// <summary>
/// YAML text to a <see cref="SpecNode"/> tree. Takes the part of YAML that a spec needs: one document of mappings, lists and
/// scalars. Anchors, aliases and tags are refused, so a small file cannot grow into a large tree.
/// </summary>
internal static class SpecParser
{
    /// <summary>A spec is five deep; the limit keeps a hostile file from deep recursion.</summary>
    private const int MaxDepth = 16;

    /// <summary>The tree, or null when the text is no such YAML (which is then reported) or holds nothing.</summary>
    /// <param name="place">Where the text came from; its line is that of an override (0), or 1 for a file, whose lines then count.</param>
    public static SpecNode? Parse(string yaml, Place place, SpecReport report)
    {
        try
        {
            return new Reading(new Parser(new StringReader(yaml)), place, report).Document();
        }
        catch (YamlException e)
        {
            var at = place.Line == 0 ? place : place with { Line = (int)e.Start.Line };
            report.Wrong("", at, e.InnerException is null ? e.Message : $"{e.Message} {e.InnerException.Message}", "YAML: mappings, lists and values");
            return null;
        }
    }

    private sealed class Reading(IParser parser, Place place, SpecReport report)
    {
        public SpecNode? Document()
        {
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                return null;
            }

            parser.Consume<DocumentStart>();
            var root = Node(path: "", depth: 0);
            parser.Consume<DocumentEnd>();
            if (parser.Accept<DocumentStart>(out var second))
            {
                throw Refused(second, "a second document in one file");
            }

            return root;
        }

        private SpecNode Node(string path, int depth)
        {
            var at = PlaceOf(parser.Current!);
            if (depth > MaxDepth)
            {
                throw Refused(parser.Current!, $"lists and mappings more than {MaxDepth} deep");
            }

            if (parser.Current is NodeEvent { Anchor.IsEmpty: false } or AnchorAlias)
            {
                throw Refused(parser.Current, "an anchor or alias (& or *); write the value out");
            }

            if (parser.Current is NodeEvent { Tag: { IsEmpty: false, IsNonSpecific: false } })
            {
                throw Refused(parser.Current, "a tag (!); types come from the key");
            }

            if (parser.TryConsume<Scalar>(out var scalar))
            {
                return new SpecNode.Scalar(at, scalar.Value, scalar.Style == ScalarStyle.Plain);
            }

            return parser.TryConsume<SequenceStart>(out _) ? List(at, path, depth) : Mapping(at, path, depth);
        }

        private SpecNode.Sequence List(Place at, string path, int depth)
        {
            var items = new List<SpecNode>();
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                items.Add(Node($"{path}[{items.Count}]", depth + 1));
            }

            return new(at, items);
        }

        private SpecNode.Mapping Mapping(Place at, string path, int depth)
        {
            parser.Consume<MappingStart>();
            var entries = new List<SpecNode.Entry>();
            var lines = new Dictionary<string, int>();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                var keyAt = PlaceOf(parser.Current!);
                if (Node(path, depth + 1) is not SpecNode.Scalar key)
                {
                    throw Refused(parser.Current!, "a list or mapping as a key");
                }

                var keyPath = SpecPath.Join(path, key.Text);
                var entry = new SpecNode.Entry(key.Text, keyAt, Node(keyPath, depth + 1));
                if (lines.TryAdd(key.Text, keyAt.Line))
                {
                    entries.Add(entry);
                }
                else
                {
                    report.Wrong(keyPath, keyAt, $"the key a second time (first in line {lines[key.Text]})", "each key once");
                }
            }

            return new(at, entries);
        }

        private Place PlaceOf(ParsingEvent at) => place.Line == 0 ? place : place with { Line = (int)at.Start.Line };

        private static SemanticErrorException Refused(ParsingEvent at, string what) => new(at.Start, at.End, what);
    }
}
