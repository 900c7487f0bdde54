using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Methods.ForwardForward.Graph;

namespace Cluster.Tests.ForwardForward;

/// <summary>The graphs with wrong labels that forward-forward learning of nodes is shown.</summary>
[Collection(TorchTests.Name)]
public sealed class WrongLabellingTests
{
    private static readonly GraphData s_cora = GraphFolder.Read(new DataSpec.Graph { Split = "public" }, [DataRoots.Shipped]);

    [Fact]
    public void Every_node_has_each_wrong_class_once()
    {
        using var task = NodeTask.Of(s_cora, seed: 3);
        var labellings = Labellings(task);
        Assert.Equal(task.Split.Train.Select(node => task.Labels[node]), labellings[0]);
        for (var i = 0; i < task.Split.Train.Length; i++)
        {
            Assert.Equal(Enumerable.Range(0, task.Classes), labellings.Select(labels => labels[i]).Order());
        }
    }

    /// <summary>Nodes of one class have different wrong classes: a wrong labelling is no renaming of the right one.</summary>
    [Fact]
    public void A_wrong_labelling_renames_no_class()
    {
        using var task = NodeTask.Of(s_cora, seed: 3);
        foreach (var labels in Labellings(task)[1..])
        {
            Assert.All(task.Split.Train.Zip(labels).GroupBy(pair => task.Labels[pair.First]), ofClass => Assert.InRange(ofClass.Select(pair => pair.Second).Distinct().Count(), 3, task.Classes - 1));
        }
    }

    [Fact]
    public void The_order_follows_from_the_seed()
    {
        using var one = NodeTask.Of(s_cora, seed: 3);
        using var same = NodeTask.Of(s_cora, seed: 3);
        using var other = NodeTask.Of(s_cora, seed: 4);
        Assert.Equal(Labellings(one), Labellings(same));
        Assert.NotEqual(Labellings(one), Labellings(other));
    }

    private static int[][] Labellings(NodeTask task) => [.. Enumerable.Range(0, task.Classes).Select(labelling => task.Training(labelling).Select(one => one.Label).ToArray())];
}
