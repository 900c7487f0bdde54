using System.Globalization;
using Cluster.Cli.Verbs;
using Cluster.Contracts;
using ScottPlot;

namespace Cluster.Cli.Plots;

/// <summary>Who holds what as a PNG: a bar for each client, made up of its classes. The drawing is ScottPlot's.</summary>
internal static class PartitionPlot
{
    /// <summary>Beyond these a bar is thinner than a pixel.</summary>
    private const int MaxClients = 500;

    private const int Width = 1200;

    /// <exception cref="BadInputException">The file cannot be written.</exception>
    public static void Save(string path, string title, Holdings holdings) => PngPlot.Save(Draw(title, holdings), path, Width);

    private static Plot Draw(string title, Holdings holdings)
    {
        var palette = new ScottPlot.Palettes.Category10();
        var shown = holdings.Clients.Length > MaxClients ? holdings.Clients[..MaxClients] : holdings.Clients;
        var plot = new Plot();
        plot.Title(shown.Length < holdings.Clients.Length ? string.Create(CultureInfo.InvariantCulture, $"{title}: {shown.Length} of {holdings.Clients.Length} clients") : title);
        plot.XLabel("client");
        plot.YLabel("samples");

        var bars = new List<Bar>();
        foreach (var (position, client) in shown.Index())
        {
            double below = 0;
            foreach (var (c, count) in (client.Classes.IsEmpty ? [(int)client.Samples] : client.Classes).Index().Where(part => part.Item > 0))
            {
                bars.Add(new Bar { Position = position, ValueBase = below, Value = below + count, FillColor = palette.GetColor(c), LineWidth = 0 });
                below += count;
            }
        }

        plot.Add.Bars(bars);
        plot.Axes.Margins(left: 0, right: 0, bottom: 0);
        if (!shown[0].Classes.IsEmpty)
        {
            plot.Legend.ManualItems.AddRange(shown[0].Classes.Index().Select(c => new LegendItem { LabelText = $"class {c.Index}", FillColor = palette.GetColor(c.Index) }));
            plot.ShowLegend(Edge.Right); // Beside the bars, not on them.
        }

        return plot;
    }
}
