using System.CommandLine;
using System.Globalization;
using Cluster.Cli.Plots;
using Cluster.Cli.Schedules;
using Cluster.Client;
using Cluster.Trainer.Core.Data;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster schedule SPEC</c>: the learning rate of a job as a table and a plot, before anything runs.</summary>
internal static class ScheduleVerb
{
    /// <summary>Rows of the table for each part.</summary>
    private const int Rows = 9;

    public static Command Create()
    {
        var png = new Option<string?>("--png") { Description = "Also writes the plot to this file.", HelpName = "FILE" };
        var command = new Command("schedule", "Shows the learning rate of every stage and release, as numbers and as a plot.") { VerbOptions.Spec, VerbOptions.Set, VerbOptions.Data, png };
        command.SetAction(parsed =>
        {
            var path = parsed.GetRequiredValue(VerbOptions.Spec);
            var spec = SpecFile.Read(path, parsed.GetValue(VerbOptions.Set) ?? []);
            var parts = ScheduleTable.Of(spec, DataRoots.Of(path, parsed.GetValue(VerbOptions.Data), Environment.GetEnvironmentVariable(DataRoots.Variable)));
            Show(spec.Name, parts, parsed.GetValue(png));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static void Show(string name, IReadOnlyList<SchedulePart> parts, string? png)
    {
        var output = new Output(isJson: false);
        output.Table(["part", "update", "learning rate"], parts.SelectMany(Points));
        Curve[] curves = [.. parts.Select(part => part.ToCurve())];
        Console.Out.Write(TerminalPlot.Draw(curves));
        if (png is null) { return; }

        PngPlot.SaveCurves(png, name, "update", "learning rate", curves);
        output.Line(PngPlot.HasFonts ? Path.GetFullPath(png) : $"{Path.GetFullPath(png)} (without words: this system has no fonts)");
    }

    private static IEnumerable<IReadOnlyList<string>> Points(SchedulePart part)
    {
        var count = Math.Min(Rows, part.Last - part.First + 1);
        for (var i = 0L; i < count; i++)
        {
            var n = count == 1 ? part.First : part.First + ((part.Last - part.First) * i / (count - 1));
            yield return [i == 0 ? part.Name : "", Output.Number(n), part.Rate(n).ToString("G6", CultureInfo.InvariantCulture)];
        }
    }
}
