using System.Globalization;
using ScottPlot;

namespace Cluster.Benchmarks.Federated;

/// <summary>A picture for each task and pair of initial rates: accuracy, α and β over the rounds, means over the seeds. The drawing is ScottPlot's.</summary>
internal static class FederatedPlots
{
    private const int Width = 900, PanelHeight = 330;

    public static void Save(IReadOnlyDictionary<FederatedCell, FederatedPoint[]> cells, string folder)
    {
        foreach (var task in FederatedTask.All)
        {
            var results = new FederatedResults(cells, task.Name);
            foreach (var start in results.Starts)
            {
                var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{task.Name}-beta{start.Beta:0.######}-alpha{start.Alpha}.png"));
                Draw(results, start, string.Create(CultureInfo.InvariantCulture, $"{task.Name}: β(0) = {start.Beta:0.######}, α(0) = {start.Alpha}")).SavePng(path, Width, 3 * PanelHeight);
                Console.WriteLine(path);
            }
        }
    }

    private static Multiplot Draw(FederatedResults results, FederatedStart start, string title)
    {
        var picture = new Multiplot();
        picture.AddPlots(3);
        Panel(picture.GetPlot(0), results, start, "accuracy", point => point.Accuracy);
        Panel(picture.GetPlot(1), results, start, "α, the server's rate", point => point.Alpha);
        Panel(picture.GetPlot(2), results, start, "β, the clients' mean rate", point => point.Beta);
        picture.GetPlot(0).Title(title);
        picture.GetPlot(2).XLabel("round");
        return picture;
    }

    private static void Panel(Plot plot, FederatedResults results, FederatedStart start, string label, Func<FederatedPoint, double> value)
    {
        plot.YLabel(label);
        foreach (var method in results.Methods)
        {
            var rounds = results.Curves(start, method).SelectMany(curve => curve.Points).GroupBy(point => point.Round).OrderBy(round => round.Key).ToArray();
            if (rounds.Length == 0) { continue; }

            var line = plot.Add.ScatterLine(rounds.Select(round => (double)round.Key).ToArray(), rounds.Select(round => round.Average(value)).ToArray());
            line.LegendText = method;
            line.LineWidth = 2;
        }

        plot.ShowLegend(Edge.Right);
    }
}
