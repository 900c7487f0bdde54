using System.CommandLine;
using System.Globalization;
using Cluster.Client;
using Cluster.Trainer.Core.Checkpoints;
using Spectre.Console;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster inspect PATH</c>: what a checkpoint is, and whether every byte is as it was written.</summary>
internal static class InspectVerb
{
    public static Command Create()
    {
        var path = new Argument<string>("path") { Description = "A checkpoint, a job's folder, or a .safetensors file." };
        var command = new Command("inspect", "Shows what a checkpoint is, and whether it is intact.") { path };
        command.SetAction(parsed => Show(parsed.GetRequiredValue(path)));
        return command;
    }

    /// <returns>0 when everything that could be verified is intact, 2 otherwise.</returns>
    private static int Show(string path)
    {
        var report = CheckpointInspector.Inspect(path);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        if (Console.IsOutputRedirected) { console.Profile.Width = 200; }

        console.WriteLine(report.Path);
        console.Write(Summary(report));
        if (report.Checkpoints.Length > 0) { console.Write(Checkpoints(report)); }
        if (report.Tensors.Length > 0) { console.Write(Tensors(report)); }
        foreach (var problem in report.Problems) { console.MarkupLineInterpolated($"[red]{problem}[/]"); }
        return report.Problems.IsEmpty ? ExitCodes.Succeeded : ExitCodes.BadInput;
    }

    private static Table Summary(CheckpointReport report)
    {
        var table = new Table().NoBorder().HideHeaders().AddColumn("").AddColumn("");
        void Row(string name, string? value) { if (value is not null) { table.AddRow(name, Markup.Escape(value)); } }

        if (report.Manifest is { } manifest)
        {
            Row("job", $"{manifest.Job} ({manifest.SpecName}, {manifest.Method})");
            Row("round", Number(manifest.Round));
            Row("samples seen", Number(manifest.SamplesSeen));
            Row("parent", manifest.Parent);
            Row("written", manifest.WrittenUtc.ToString("u", CultureInfo.InvariantCulture));
            Row("weights", manifest.WeightsSha256);
            Row("spec hash", manifest.SpecHash);
            foreach (var (name, value) in manifest.Environment) { Row(name, value); }
        }

        Row("parameters", report.Parameters is { } count ? Number(count) : null);
        foreach (var file in report.Files) { Row(file.Name, $"{Number(file.Bytes)} bytes, {file.Problem ?? (report.Manifest is null ? $"SHA-256 {file.Sha256}" : "intact")}"); }
        foreach (var (name, value) in report.Metadata) { Row(name, value); }
        return table;
    }

    private static Table Checkpoints(CheckpointReport report)
    {
        var table = new Table().SimpleBorder().AddColumns("checkpoint", "round", "bytes", "state");
        foreach (var line in report.Checkpoints)
        {
            table.AddRow(Markup.Escape(Path.GetFileName(line.Path)), Number(line.Round), Number(line.Bytes), Markup.Escape(line.Problem ?? "intact"));
        }

        return table;
    }

    private static Table Tensors(CheckpointReport report)
    {
        var table = new Table().SimpleBorder().AddColumns("tensor", "shape", "type", "mean", "rms", "min", "max", "not finite");
        foreach (var tensor in report.Tensors)
        {
            table.AddRow(
                Markup.Escape(tensor.Name), Markup.Escape($"[{string.Join(", ", tensor.Shape)}]"), tensor.Dtype,
                Real(tensor.Mean), Real(tensor.Rms), Real(tensor.Min), Real(tensor.Max), Number(tensor.NonFinite));
        }

        return table;
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Real(double value) => value.ToString("G4", CultureInfo.InvariantCulture);
}
