using System.Diagnostics;
using System.Globalization;

namespace Cluster.Benchmarks.Federated;

/// <summary>
/// FedHyper beside FedAvg and the other base lines, over initial rates, data sets and seeds: accuracy, rounds to a target accuracy, and
/// whether the relations that the paper leads one to expect hold.
/// </summary>
/// <remarks>
/// <c>run FOLDER [TASK,...] [key=value ...]</c> runs the cells that FOLDER does not have yet, of all tasks or of those named; keys are
/// those of the spec. <c>print FOLDER</c> and <c>plot FOLDER</c> make tables and pictures of what is there.
/// </remarks>
internal static class FederatedTable
{
    public static int Run(string[] args)
    {
        switch (args)
        {
            case ["run", var folder, .. var rest]:
                Fill(new FederatedStore(folder), [.. rest.Where(text => !text.Contains('=')).SelectMany(text => text.Split(','))], [.. rest.Where(text => text.Contains('='))]);
                return 0;
            case ["print", var folder]:
                FederatedReport.Print(new FederatedStore(folder).Read());
                return 0;
            case ["plot", var folder]:
                FederatedPlots.Save(new FederatedStore(folder).Read(), folder);
                return 0;
            default:
                Console.Error.WriteLine($"usage: federated-table run FOLDER [TASK,...] [key=value ...] | print FOLDER | plot FOLDER; tasks: {string.Join(", ", FederatedTask.All.Select(task => task.Name))}");
                return 2;
        }
    }

    private static void Fill(FederatedStore store, string[] tasks, string[] overrides)
    {
        var done = store.Read();
        foreach (var cell in FederatedPlan.Cells().Where(cell => (tasks.Length == 0 || tasks.Contains(cell.Task)) && !done.ContainsKey(cell)))
        {
            var began = Stopwatch.GetTimestamp();
            var curve = FederatedRun.Of(cell, overrides);
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            store.Add(cell, curve, seconds);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{cell}: {FederatedReport.Accuracy(curve):F4}, {seconds:F1} s"));
        }
    }
}
