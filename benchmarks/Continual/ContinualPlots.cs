using Cluster.Contracts.Lineage;
using ScottPlot;

namespace Cluster.Benchmarks.Continual;

/// <summary>
/// A picture for each task and setting: the loss on each data set over the stages, means over the seeds; the trunk as a line, annealed
/// weights as dots. The drawing is ScottPlot's.
/// </summary>
internal static class ContinualPlots
{
    private const int Width = 900, PanelHeight = 330;

    public static void Save(IReadOnlyList<ContinualResult> results, string folder)
    {
        foreach (var pictured in results.GroupBy(result => (result.Cell.Task, result.Cell.Setting)))
        {
            var path = Path.Combine(folder, $"{pictured.Key.Task}-{pictured.Key.Setting}.png");
            Draw(ContinualTask.Of(pictured.Key.Task), [.. pictured], $"{pictured.Key.Task}, {pictured.Key.Setting}").SavePng(path, Width, ContinualTask.Stages.Count * PanelHeight);
            Console.WriteLine(path);
        }
    }

    private static Multiplot Draw(ContinualTask task, ContinualResult[] results, string title)
    {
        var picture = new Multiplot();
        picture.AddPlots(ContinualTask.Stages.Count);
        foreach (var (index, set) in ContinualTask.Stages.Index())
        {
            var plot = picture.GetPlot(index);
            plot.YLabel($"loss on {set}, nats");
            foreach (var schedule in ContinualCell.Schedules) { Add(plot, task, schedule, set, [.. results.Where(result => result.Cell.Schedule == schedule)]); }
            plot.ShowLegend(Edge.Right);
        }

        picture.GetPlot(0).Title(title);
        picture.GetPlot(ContinualTask.Stages.Count - 1).XLabel("stages, each N updates long");
        return picture;
    }

    private static void Add(Plot plot, ContinualTask task, string schedule, string set, ContinualResult[] results)
    {
        if (results.Length == 0) { return; }
        var trunkUpdates = schedule == ContinualCell.Infinite ? task.TrunkUpdates : task.Updates;
        var (line, dots) = (Means(onBranch: false), Means(onBranch: true));
        var trunk = plot.Add.ScatterLine(line.X, line.Y);
        (trunk.LegendText, trunk.LineWidth) = (schedule, 2);
        if (dots.X.Length > 0) { plot.Add.ScatterPoints(dots.X, dots.Y, trunk.Color).MarkerSize = 8; }

        (double[] X, double[] Y) Means(bool onBranch)
        {
            var points = results.SelectMany(result => result.Evaluations)
                .Where(e => onBranch ? e.Node!.Kind == NodeKind.Release : !e.Node!.IsOnBranch)
                .GroupBy(e => Place(task, trunkUpdates, e.Node!))
                .OrderBy(point => point.Key)
                .ToArray();
            return ([.. points.Select(point => point.Key)], [.. points.Select(point => point.Average(e => e.Scores[set].Loss))]);
        }
    }

    /// <summary>Updates within the stage over N, behind the stages before.</summary>
    /// <param name="trunkUpdates">Of a stage.</param>
    private static double Place(ContinualTask task, int trunkUpdates, LineageNode node)
    {
        var stage = ContinualTask.Stages.ToList().IndexOf(node.Stage);
        return stage + ((node.Step + node.BranchStep - ((double)stage * trunkUpdates)) / task.Updates);
    }
}
