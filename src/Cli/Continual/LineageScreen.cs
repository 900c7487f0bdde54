using System.Collections.Immutable;
using System.Globalization;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Lineage;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Cluster.Cli.Continual;

/// <summary>A lineage for people: the trunk from top to bottom with its branches beside it, and what was forgotten.</summary>
internal static class LineageScreen
{
    public static IEnumerable<IRenderable> All(LineageView lineage) =>
        [Tree(lineage), .. lineage.Orders.Select(order => Order(order, lineage.JobId)), .. lineage.Matrix is { } matrix ? [Table(matrix), Summary(matrix)] : Array.Empty<IRenderable>()];

    private static Text Order(JobOrder order, string jobId) => new($"order {order.Number}: {OrderFollow.Outcome(order, jobId)}\n");

    /// <summary>Each checkpoint of the trunk is a line; under one that releases fork from stand theirs.</summary>
    private static Tree Tree(LineageView lineage)
    {
        var tree = new Tree(Markup.Escape(lineage.JobId));
        var trunk = lineage.Checkpoints.Where(c => !c.Node.IsOnBranch).ToArray();
        foreach (var checkpoint in trunk)
        {
            var node = tree.AddNode(Line(checkpoint));
            foreach (var branch in lineage.Checkpoints.Where(c => c.Node.IsOnBranch && c.Node.Origin == checkpoint.Round)) { node.AddNode(Line(branch)); }
        }

        var gone = lineage.Checkpoints.Where(c => c.Node.IsOnBranch && !trunk.Any(t => t.Round == c.Node.Origin)).ToArray();
        foreach (var fork in gone.GroupBy(branch => branch.Node.OriginJob))
        {
            tree.AddNode(fork.Key is { } job ? Markup.Escape($"forked from {job}") : "forked from a checkpoint that is no longer there").AddNodes(fork.Select(Line));
        }

        return tree;
    }

    private static Text Line(LineageCheckpoint checkpoint)
    {
        var node = checkpoint.Node;
        var kind = node.Kind switch
        {
            NodeKind.Release => $"release {node.Release}",
            NodeKind.Annealing => $"annealing {node.Release}",
            NodeKind.PreAnneal => "pre-anneal",
            NodeKind.Drift => "drift",
            _ => "trunk",
        };
        var step = string.Create(CultureInfo.InvariantCulture, $"update {node.Step:N0}{(node.IsOnBranch ? $" + {node.BranchStep:N0}" : "")}");
        var scores = node.Scores is null ? "" : $"   loss {string.Join(", ", node.Scores.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Key} {s.Value.Loss:F3}")))}";
        return new Text(string.Create(CultureInfo.InvariantCulture, $"{kind}, {step}, {node.Stage}, {node.Tokens:N0} tokens, {(checkpoint.Job is { } job ? $"{job} " : "")}{checkpoint.Name}{scores}"));
    }

    /// <summary>L[i][j], accuracy in brackets where there is one; the highest loss on each old data set while the trunk was in the stage.</summary>
    private static Table Table(ForgettingMatrix matrix)
    {
        var table = new Table().SimpleBorder().AddColumn("after").AddColumn("measured on");
        foreach (var stage in matrix.Stages) { table.AddColumn(new TableColumn(Markup.Escape(stage)).RightAligned()); }
        if (matrix.Untrained is { } untrained) { table.AddRow([new Text("nothing"), new Text("untrained"), .. Cells(untrained, matrix.UntrainedAccuracies!.Value)]); }
        for (var i = 0; i < matrix.Stages.Length; i++)
        {
            table.AddRow([new Text(matrix.Stages[i]), new Text(matrix.After[i]), .. Cells(matrix.Losses[i], matrix.Accuracies[i])]);
            if (matrix.Peaks[i].Any(double.IsFinite)) { table.AddRow([new Text(""), new Text("peak in this stage"), .. matrix.Peaks[i].Select(peak => new Text(Number(peak)))]); }
        }

        return table;

        static IEnumerable<Text> Cells(ImmutableArray<double> losses, ImmutableArray<double> accuracies) =>
            losses.Zip(accuracies, (loss, accuracy) => new Text(double.IsNaN(loss) ? "" : string.Create(CultureInfo.InvariantCulture, $"{loss:F3}{(double.IsNaN(accuracy) ? "" : $" ({accuracy:F1} %)")}")));
    }

    private static Table Summary(ForgettingMatrix matrix)
    {
        var (losses, accuracies) = (matrix.OfLosses(), matrix.OfAccuracies());
        var table = new Table().NoBorder().AddColumn("").AddColumn(new TableColumn("loss").RightAligned()).AddColumn(new TableColumn("accuracy, %").RightAligned());
        Row("average over the data sets, at the end", s => s.AverageFinal);
        Row("each data set after its own stage", s => s.DiagonalAverage);
        Row("backward transfer (of losses: forgetting)", s => s.Backward);
        Row("forward transfer, against an untrained model", s => s.Forward);
        return table;

        void Row(string name, Func<TransferScores, double> value) => table.AddRow(new Text(name), new Text(Number(value(losses))), new Text(Number(value(accuracies))));
    }

    private static string Number(double value) => double.IsFinite(value) ? value.ToString("F3", CultureInfo.InvariantCulture) : "";
}
