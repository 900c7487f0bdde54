using System.Diagnostics;
using System.Globalization;

namespace Cluster.Benchmarks.Continual;

/// <summary>
/// Infinite schedules beside repeated cosine, with and without replay ("Beyond Cosine Decay", CoLLAs 2025): what is forgotten, the
/// average loss at the end, and the loss on what was just learnt.
/// </summary>
/// <remarks>
/// <c>source FOLDER</c> makes the text of C# files, which the tasks of text need. <c>run FOLDER [TASK,...] [key=value ...]</c> runs the cells that FOLDER does not have
/// yet, of all tasks or of those named; keys are those of the spec. <c>print FOLDER</c> and <c>plot FOLDER</c> make tables and pictures
/// of what is there.
/// </remarks>
internal static class ContinualTable
{
    public static int Run(string[] args)
    {
        switch (args)
        {
            case ["source", var folder]:
                SourceText.Write(folder);
                return 0;
            case ["run", var folder, .. var rest]:
                string[] tasks = [.. rest.Where(text => !text.Contains('=')).SelectMany(text => text.Split(','))];
                if (ContinualTask.All.Any(task => task.ReadsSource && (tasks.Length == 0 || tasks.Contains(task.Name))) && !File.Exists(Path.Combine(folder, SourceText.FileName)))
                {
                    Console.Error.WriteLine($"{folder} has no {SourceText.FileName}: make it with continual-table source {folder}, in a clone");
                    return 2;
                }

                Fill(folder, tasks, [.. rest.Where(text => text.Contains('='))]);
                return 0;
            case ["print", var folder]:
                ContinualReport.Print(new ContinualStore(folder).Read());
                return 0;
            case ["plot", var folder]:
                ContinualPlots.Save(new ContinualStore(folder).Read(), folder);
                return 0;
            default:
                Console.Error.WriteLine($"usage: continual-table source FOLDER | run FOLDER [TASK,...] [key=value ...] | print FOLDER | plot FOLDER; tasks: {string.Join(", ", ContinualTask.All.Select(task => task.Name))}");
                return 2;
        }
    }

    private static void Fill(string folder, string[] tasks, string[] overrides)
    {
        var store = new ContinualStore(folder);
        var done = store.Read().Select(result => result.Cell).ToHashSet();
        foreach (var cell in ContinualTablePlan.Cells().Where(cell => (tasks.Length == 0 || tasks.Contains(cell.Task)) && !done.Contains(cell)))
        {
            var began = Stopwatch.GetTimestamp();
            var evaluations = ContinualRun.Of(cell, folder, overrides);
            var result = new ContinualResult(cell, evaluations, Stopwatch.GetElapsedTime(began).TotalSeconds);
            store.Add(result);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{cell}: average {result.Final:G5}, forgetting {result.Forgetting:G5}, current {result.Current:G5}, {result.Seconds:F0} s"));
        }
    }
}
