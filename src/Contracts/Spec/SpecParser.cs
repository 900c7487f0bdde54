using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Cluster.Contracts.Spec;

/// <summary>
/// YAML text to a <see cref="SpecNode"/> tree. Takes the part of YAML that a spec needs: one document of mappings, lists and
/// scalars, in number and depth far beyond any real spec. Anchors, aliases and tags are refused, so no value is written twice.
/// </summary>
internal static class SpecParser
{
    private const string Allowed = "one YAML document of mappings, lists and values";

    private const int MaxDepth = 16;

    private const int MaxNodes = 20_000;

    /// <summary>The tree, or null when the text is no such YAML (which is then reported) or holds nothing.</summary>
    /// <param name="place">Where the text came from; its line is that of an override (0), or 1 for a file, whose lines then count.</param>
    public static SpecNode? Parse(string yaml, Place place, SpecReport report)
    {
        var reading = new Reading(new Parser(new StringReader(yaml)), place, report);
        try
        {
            return reading.Document();
        }
        catch (RefusedException e)
        {
            report.Wrong("", reading.PlaceOf(e.Start), e.Message, Allowed);
        }
        catch (YamlException e)
        {
            // What is missing at the end of the file is reported in its last line, not in the one after.
            var at = reading.PlaceOf(e.Start);
            var lastLine = yaml.AsSpan().TrimEnd().Count('\n') + 1;
            report.Wrong("", at with { Line = Math.Min(at.Line, lastLine) }, $"broken YAML ({e.Message.TrimEnd('.')})", Allowed);
        }
        catch (InvalidOperationException)
        {
            // The library's scanner ends so on some collections without a closing bracket.
            report.Wrong("", reading.Latest, "a list or mapping that is not closed", Allowed);
        }

        return null;
    }

    private sealed class RefusedException(ParsingEvent at, string what) : YamlException(at.Start, at.End, what);

    private sealed class Reading(IParser parser, Place place, SpecReport report)
    {
        private int _nodes;

        /// <summary>Where the newest node begins.</summary>
        public Place Latest { get; private set; } = place;

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
            var at = Latest = PlaceOf(parser.Current!.Start);
            if (++_nodes > MaxNodes)
            {
                throw Refused(parser.Current, $"more than {MaxNodes} values");
            }

            if (depth > MaxDepth)
            {
                throw Refused(parser.Current, $"lists and mappings more than {MaxDepth} deep");
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
                var keyAt = PlaceOf(parser.Current!.Start);
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

        public Place PlaceOf(Mark mark) => Latest.Line == 0 ? Latest : Latest with { Line = (int)mark.Line };

        private static RefusedException Refused(ParsingEvent at, string what) => new(at, what);
    }
}
