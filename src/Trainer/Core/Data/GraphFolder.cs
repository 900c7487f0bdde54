using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Graphs;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// A graph in a folder of text files:
/// <code>
///   edges.csv      src,dst          each undirected edge once; self loops and repeats count once and not at all
///   features.csv   node,entries     entries separated by spaces: column (value 1) or column:value
///   labels.csv     node,label       one line for every node
///   splits.json    name to { train, val, test }, each a list of nodes
///   meta.json      nodes, features and classes: how many there are
/// </code>
/// </summary>
internal static class GraphFolder
{
    /// <exception cref="BadInputException">A file is missing or damaged, or speaks of a node, a column or a class that there is not.</exception>
    public static GraphData Read(DataSpec.Graph spec, IReadOnlyList<string> roots)
    {
        var files = FilesOf(spec, roots);
        var meta = Json(files[0]);
        var nodes = Count(meta, files[0], "nodes");
        var columns = Count(meta, files[0], "features");
        var classes = Count(meta, files[0], "classes");
        return new GraphData(
            nodes,
            classes,
            Edges(files[1], nodes),
            Features(files[3], nodes, columns, spec.Features),
            Labels(files[2], nodes, classes),
            spec.Split is { } split ? Split(files[4], split, nodes) : null);
    }

    /// <exception cref="BadInputException">A file is missing.</exception>
    public static IReadOnlyList<string> FilesOf(DataSpec.Graph spec, IReadOnlyList<string> roots) =>
        DataSearch.FindFiles(spec.Path, roots, ["meta.json", "edges.csv", "labels.csv", "features.csv", "splits.json"]);

    private static Adjacency Edges(string path, int nodes)
    {
        var edges = CsvFile.Read(path, "src,dst").Select(line => (
            line.Index(0, "a node of this graph (an edge must not dangle)", nodes),
            line.Index(1, "a node of this graph (an edge must not dangle)", nodes)));
        return Adjacency.Undirected(nodes, edges);
    }

    private static int[] Labels(string path, int nodes, int classes)
    {
        var labels = Enumerable.Repeat(-1, nodes).ToArray();
        foreach (var line in CsvFile.Read(path, "node,label"))
        {
            var node = line.Index(0, "a node of this graph", nodes);
            if (labels[node] >= 0) { throw line.Bad(0, $"node {node} a second time"); }
            labels[node] = line.Index(1, "a class of this graph", classes);
        }

        var missing = Array.IndexOf(labels, -1);
        return missing < 0 ? labels : throw new BadInputException($"{path} has no label of node {missing}; every node has one");
    }

    /// <summary>Rows divided by their sum, where that is above 1.</summary>
    private static SparseMatrix Features(string path, int nodes, int columns, FeatureValues values)
    {
        var rows = new (int Column, double Value)[nodes][];
        foreach (var line in CsvFile.Read(path, "node,entries"))
        {
            var node = line.Index(0, "a node of this graph", nodes);
            if (rows[node] is not null) { throw line.Bad(0, $"node {node} a second time"); }
            rows[node] = Entries(line, columns, values);
            var sum = Math.Max(1, rows[node].Sum(entry => entry.Value));
            rows[node] = [.. rows[node].Select(entry => (entry.Column, entry.Value / sum))];
        }

        var missing = Array.FindIndex(rows, row => row is null);
        return missing < 0 ? new SparseMatrix(columns, rows) : throw new BadInputException($"{path} has no line of node {missing}; every node has one, with no entries where it has no features");
    }

    private static (int Column, double Value)[] Entries(CsvLine line, int columns, FeatureValues values)
    {
        var entries = new SortedDictionary<int, double>();
        foreach (var entry in line.Fields[1].Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = entry.IndexOf(':');
            if (!int.TryParse(colon < 0 ? entry : entry.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var column) || column >= columns)
            {
                throw line.Bad(1, $"'{CsvFile.Shown(entry)}' is not a feature column of 0 to {columns - 1}, alone or with a value (7 or 7:0.5)");
            }

            var value = 1f;
            if (colon >= 0 && !(float.TryParse(entry.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out value) && float.IsFinite(value)))
            {
                throw line.Bad(1, $"'{CsvFile.Shown(entry)}': the value is not a finite number");
            }

            if (!entries.TryAdd(column, values == FeatureValues.Binary ? (value > 0 ? 1 : 0) : value)) { throw line.Bad(1, $"column {column} a second time"); }
        }

        return [.. entries.Where(entry => entry.Value != 0).Select(entry => (entry.Key, entry.Value))];
    }

    private static NodeSplit Split(string path, string name, int nodes)
    {
        var splits = Json(path);
        if (splits.ValueKind != JsonValueKind.Object) { throw new BadInputException($"{path} is not an object of named splits"); }
        if (!splits.TryGetProperty(name, out var split))
        {
            throw new BadInputException($"{path} has no split '{name}'; it has {string.Join(", ", splits.EnumerateObject().Select(s => s.Name))}");
        }

        var seen = new Dictionary<int, string>();
        return new NodeSplit(Part("train"), Part("val"), Part("test"));

        ImmutableArray<int> Part(string part)
        {
            var where = $"{path}, split '{name}', {part}";
            if (split.ValueKind != JsonValueKind.Object || !split.TryGetProperty(part, out var list) || list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
            {
                throw new BadInputException($"{where}: a list of at least one node expected");
            }

            var members = ImmutableArray.CreateBuilder<int>();
            foreach (var item in list.EnumerateArray())
            {
                if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out var node) || node < 0 || node >= nodes)
                {
                    throw new BadInputException($"{where}: '{CsvFile.Shown(item.GetRawText())}' is not a node of this graph: 0 to {nodes - 1}");
                }

                if (!seen.TryAdd(node, part)) { throw new BadInputException($"{where}: node {node} is in {seen[node]} too"); }
                members.Add(node);
            }

            return members.ToImmutable();
        }
    }

    private static int Count(JsonElement meta, string path, string name) =>
        meta.ValueKind == JsonValueKind.Object && meta.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var count) && count > 0
            ? count
            : throw new BadInputException($"{path} has no '{name}', a whole number of at least 1");

    private static JsonElement Json(string path)
    {
        using var file = DataFile.Open(path);
        try { return JsonDocument.Parse(file.ReadAll(1L << 30)).RootElement; }
        catch (JsonException e) { throw file.Bad($"is not JSON: {e.Message}"); }
    }
}
