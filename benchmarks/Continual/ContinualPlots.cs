using Cluster.Contracts.Lineage;
using ScottPlot;

namespace Cluster.Benchmarks.Continual;

/// <summary>
/// A picture for each task and setting: the loss on each data set over the stages, means over the seeds; the trunk as a line, annealed
/// weights as dots. Untrained weights are left out, since beside their loss the rest would be flat. The drawing is ScottPlot's.
/// </summary>
internal static class ContinualPlots
{
    private const int Width = 900, PanelHeight = 330;

    public static void Save(IReadOnlyList<ContinualResult> results, string folder)
    {
        foreach (var pictured in results.GroupBy(result => (result.Cell.Task, result.Cell.Setting)))
        {
            var path = Path.Combine(folder, $"{pictured.Key.Task}-{pictured.Key.Setting}.png");
            var task = ContinualTask.Of(pictured.Key.Task);
            Draw(task, [.. pictured], $"{pictured.Key.Task}, {pictured.Key.Setting}: loss in {task.Unit}").SavePng(path, Width, task.Stages.Count * PanelHeight);
            Console.WriteLine(path);
        }
    }

    private static Multiplot Draw(ContinualTask task, ContinualResult[] results, string title)
    {
        var picture = new Multiplot();
        picture.AddPlots(task.Stages.Count);
        foreach (var (index, set) in task.Stages.Index())
        {
            var plot = picture.GetPlot(index);
            plot.YLabel($"loss on {set}");
            foreach (var schedule in ContinualCell.Schedules) { Add(plot, task, schedule, set, [.. results.Where(result => result.Cell.Schedule == schedule)]); }
            plot.ShowLegend(Edge.Right);
        }

        picture.GetPlot(0).Title(title);
        picture.GetPlot(task.Stages.Count - 1).XLabel("stages, each N updates long");
        return picture;
    }

    private static void Add(Plot plot, ContinualTask task, string schedule, string set, ContinualResult[] results)
    {
        if (results.Length == 0) { return; }
        var trunkUpdates = schedule == ContinualCell.Infinite ? task.TrunkUpdates : task.Updates;
        var releases = Means(e => e.Node!.Kind == NodeKind.Release);
        var colour = plot.Add.Palette.GetColor(ContinualCell.Schedules.ToList().IndexOf(schedule));
        foreach (var (stage, name) in task.Stages.Index())
        {
            // A stage begins with the trunk's state at the end of the one before.
            var points = Means(e => !e.Node!.IsOnBranch && (e.Node.Stage == name || e.Node.Step == stage * trunkUpdates), stage);
            var line = plot.Add.ScatterLine(points.Select(p => p.X).ToArray(), points.Select(p => p.Y).ToArray(), colour);
            line.LineWidth = 2;
            if (stage == 0) { line.LegendText = schedule; }
        }

        if (releases.Length > 0) { plot.Add.ScatterPoints(releases.Select(p => p.X).ToArray(), releases.Select(p => p.Y).ToArray(), colour).MarkerSize = 8; }

        (double X, double Y)[] Means(Func<EvaluationRecord, bool> isWanted, int? stage = null) =>
        [
            .. from evaluation in results.SelectMany(result => result.Evaluations)
               where evaluation.Round > 0 && isWanted(evaluation)
               group evaluation by Place(task, trunkUpdates, evaluation.Node!, stage) into point
               orderby point.Key
               select (point.Key, point.Average(e => e.Scores[set].Loss)),
        ];
    }

    /// <summary>Updates within the stage over N, behind the stages before.</summary>
    /// <param name="trunkUpdates">Of a stage.</param>
    /// <param name="stage">Seen from this one; null: the state's own.</param>
    private static double Place(ContinualTask task, int trunkUpdates, LineageNode node, int? stage)
    {
        var seenFrom = stage ?? task.Stages.ToList().IndexOf(node.Stage);
        return seenFrom + ((node.Step + node.BranchStep - ((double)seenFrom * trunkUpdates)) / task.Updates);
    }
}
