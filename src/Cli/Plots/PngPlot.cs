using Cluster.Contracts;
using ScottPlot;
using SkiaSharp;

namespace Cluster.Cli.Plots;

/// <summary>Plots as PNG files. The drawing is ScottPlot's; what is drawn is the caller's.</summary>
internal static class PngPlot
{
    private const int Width = 1000, Height = 560;

    /// <summary>Curves over one pair of axes, with a legend where there are several.</summary>
    public static void SaveCurves(string path, string title, string xLabel, string yLabel, IReadOnlyList<Curve> curves)
    {
        var plot = new Plot();
        plot.Title(title);
        plot.XLabel(xLabel);
        plot.YLabel(yLabel);
        foreach (var curve in curves)
        {
            var line = plot.Add.ScatterLine(curve.X.ToArray(), curve.Y.ToArray());
            line.LegendText = curve.Name;
            line.LineWidth = 2;
        }

        if (curves.Count > 1) { plot.ShowLegend(Alignment.UpperRight); }
        Save(plot, path);
    }

    /// <summary>Writes a plot; whoever draws something else than curves builds it and saves it here.</summary>
    /// <exception cref="BadInputException">The file cannot be written.</exception>
    public static void Save(Plot plot, string path, int width = Width, int height = Height)
    {
        try
        {
            plot.SavePng(path, width, height);
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BadInputException($"--png: {path} cannot be written: {reason.Message}");
        }
    }

    /// <summary>Whether plots have words: a system without any font draws lines alone.</summary>
    public static bool HasFonts => SKFontManager.Default.FontFamilyCount > 0;
}
