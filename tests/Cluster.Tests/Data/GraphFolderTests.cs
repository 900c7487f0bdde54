using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;

namespace Cluster.Tests.Data;

/// <summary>Graph folders: what is read, and what each kind of damage is called.</summary>
public sealed class GraphFolderTests
{
    /// <summary>Four nodes in a line and one apart; two classes, three features.</summary>
    private static readonly (string Name, string Text)[] s_line =
    [
        ("meta.json", """{ "nodes": 5, "features": 3, "classes": 2 }"""),
        ("edges.csv", "src,dst\n0,1\n1,2\n2,3\n"),
        ("features.csv", "node,entries\n0,0 2\n1,1:0.5\n2,0:3 1:1\n3,\n4,2:0.25 0:-1\n"),
        ("labels.csv", "node,label\n0,0\n1,0\n2,1\n3,1\n4,0\n"),
        ("splits.json", """{ "a": { "train": [0, 3], "val": [1], "test": [2, 4] } }"""),
    ];

    [Fact]
    public void A_graph_is_read_as_it_is_written()
    {
        var graph = Read(s_line, FeatureValues.AsGiven);

        Assert.Equal((5, 2, 6), (graph.Nodes, graph.Classes, graph.Edges.Messages));
        Assert.Equal([0, 2], graph.Edges.SendersTo(1).ToArray());
        Assert.Empty(graph.Edges.SendersTo(4).ToArray());
        Assert.Equal([0, 0, 1, 1, 0], graph.Labels);
        Assert.Equal<int[]>([[0, 3], [1], [2, 4]], [[.. graph.Split!.Train], [.. graph.Split.Validation], [.. graph.Split.Test]]);
        Assert.Equal([0, 2], graph.Features.ColumnsOf(0).ToArray());
        Assert.Equal([0.75, 0.25], graph.Features.ValuesOf(2).ToArray());  // Divided by 4.
        Assert.Equal([0.5], graph.Features.ValuesOf(1).ToArray());         // A sum below 1 stays.
        Assert.Empty(graph.Features.ColumnsOf(3).ToArray());
        Assert.Equal([0, 2], graph.Features.ColumnsOf(4).ToArray());       // Sorted.
    }

    [Fact]
    public void Binary_features_are_one_where_a_value_is_above_zero()
    {
        var features = Read(s_line, FeatureValues.Binary).Features;
        Assert.Equal([0.5, 0.5], features.ValuesOf(2).ToArray());
        Assert.Equal([2], features.ColumnsOf(4).ToArray());
    }

    [Fact]
    public void Repeated_edges_and_self_loops_are_read_over() =>
        Assert.Equal(6, Read([.. s_line.Select(f => f.Name == "edges.csv" ? (f.Name, f.Text + "1,0\n0,1\n4,4\n") : f)], FeatureValues.Binary).Edges.Messages);

    [Theory]
    [InlineData("edges.csv", "2,3", "2,5", "edges.csv line 4, column 2: '5' is not a node of this graph (an edge must not dangle): 0 to 4")]
    [InlineData("edges.csv", "2,3", "-2,3", "edges.csv line 4, column 1: '-2' is not a node")]
    [InlineData("edges.csv", "2,3", "2", "edges.csv line 4: 1 fields; 2 expected (src,dst)")]
    [InlineData("edges.csv", "src,dst", "source,target", "begins with the line 'source,target'; 'src,dst' expected")]
    [InlineData("labels.csv", "2,1", "2,2", "labels.csv line 4, column 2: '2' is not a class of this graph: 0 to 1")]
    [InlineData("labels.csv", "2,1", "1,1", "labels.csv line 4, column 1: node 1 a second time")]
    [InlineData("labels.csv", "2,1\n", "", "has no label of node 2; every node has one")]
    [InlineData("features.csv", "0,0 2", "0,0 3", "features.csv line 2, column 2: '3' is not a feature column of 0 to 2")]
    [InlineData("features.csv", "0,0 2", "0,0 0", "column 0 a second time")]
    [InlineData("features.csv", "1:0.5", "1:nan", "'1:nan': the value is not a finite number")]
    [InlineData("features.csv", "3,\n", "", "has no line of node 3")]
    [InlineData("meta.json", "\"nodes\": 5", "\"nodes\": 0", "has no 'nodes', a whole number of at least 1")]
    [InlineData("meta.json", "}", "", "is not JSON")]
    [InlineData("splits.json", "\"a\"", "\"b\"", "has no split 'a'; it has b")]
    [InlineData("splits.json", "[2, 4]", "[2, 5]", "split 'a', test: '5' is not a node of this graph: 0 to 4")]
    [InlineData("splits.json", "[2, 4]", "[2, 3]", "split 'a', test: node 3 is in train too")]
    [InlineData("splits.json", "[1]", "[]", "split 'a', val: a list of at least one node expected")]
    public void Damage_is_said_with_its_place(string file, string written, string instead, string message)
    {
        var damaged = s_line.Select(f => f.Name == file ? (f.Name, f.Text.Replace(written, instead, StringComparison.Ordinal)) : f).ToArray();
        Assert.NotEqual(s_line, damaged);
        Assert.Contains(message, Assert.Throws<BadInputException>(() => Read(damaged, FeatureValues.Binary)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_said_with_where_it_was_looked_for() =>
        Assert.Contains("has no features.csv", Assert.Throws<BadInputException>(() => Read([.. s_line.Where(f => f.Name != "features.csv")], FeatureValues.Binary)).Message, StringComparison.Ordinal);

    [Fact]
    public void Cora_ships()
    {
        var cora = GraphFolder.Read(new DataSpec.Graph { Split = "public" }, [DataRoots.Shipped]);
        Assert.Equal((2708, 7, 10_556, 1433, 49_216), (cora.Nodes, cora.Classes, cora.Edges.Messages, cora.Features.ColumnCount, cora.Features.NonZeros));
        Assert.Equal((140, 500, 1000), (cora.Split!.Train.Length, cora.Split.Validation.Length, cora.Split.Test.Length));
    }

    private static GraphData Read((string Name, string Text)[] files, FeatureValues features)
    {
        using var folder = new TemporaryFolder();
        foreach (var (name, text) in files) { folder.Write(name, text); }
        return GraphFolder.Read(new DataSpec.Graph { Path = folder.Path, Split = "a", Features = features }, []);
    }
}
