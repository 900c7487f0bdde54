using System.Globalization;

namespace Cluster.Benchmarks.Continual;

/// <summary>The table as markdown.</summary>
internal static class ContinualReport
{
    public static void Print(IReadOnlyList<ContinualResult> results)
    {
        foreach (var task in ContinualTask.All.Where(task => results.Any(result => result.Cell.Task == task.Name)))
        {
            var rows = (from result in results
                        where result.Cell.Task == task.Name
                        group result by (result.Cell.Setting, result.Cell.Schedule) into row
                        orderby task.Settings.ToList().FindIndex(s => s.Name == row.Key.Setting), row.Key.Schedule
                        select row).ToArray();
            Console.WriteLine($"### {task.Name}\n");
            Console.WriteLine($"Loss in {task.Unit}; mean ± standard deviation over the seeds.\n");
            Console.WriteLine("| setting | schedule | seeds | average at the end | forgetting | current | peak on the first | seconds |\n|---|---|---:|---:|---:|---:|---:|---:|");
            foreach (var row in rows)
            {
                string[] columns = [row.Key.Setting, row.Key.Schedule, $"{row.Count()}", Summary(task, row, r => r.Final), Summary(task, row, r => r.Forgetting), Summary(task, row, r => r.Current), Summary(task, row, r => r.Peak), string.Create(CultureInfo.InvariantCulture, $"{row.Average(r => r.Seconds):F0}")];
                Console.WriteLine($"| {string.Join(" | ", columns)} |");
            }

            Console.WriteLine("\nL[i][j], mean over the seeds: rows after each stage, columns on each data set.\n");
            Console.WriteLine($"| setting, schedule | after | {string.Join(" | ", task.Stages)} |\n|---|---|{string.Concat(task.Stages.Select(_ => "---:|"))}");
            foreach (var row in rows) { Matrix(task, row.Key, [.. row]); }
            Console.WriteLine();
        }

        Console.WriteLine("### Relations\n");
        foreach (var relation in ContinualRelations.Of(results)) { Console.WriteLine(relation); }
    }

    private static void Matrix(ContinualTask task, (string Setting, string Schedule) row, ContinualResult[] results)
    {
        for (var i = 0; i < task.Stages.Count; i++)
        {
            var losses = Enumerable.Range(0, task.Stages.Count).Select(j => results.Average(r => r.Matrix.Losses[i][j]).ToString(task.Format, CultureInfo.InvariantCulture));
            Console.WriteLine($"| {(i == 0 ? $"{row.Setting}, {row.Schedule}" : "")} | {task.Stages[i]} | {string.Join(" | ", losses)} |");
        }
    }

    private static string Summary(ContinualTask task, IEnumerable<ContinualResult> results, Func<ContinualResult, double> value)
    {
        double[] values = [.. results.Select(value)];
        var mean = values.Average();
        return values.Length == 1
            ? Number(mean)
            : $"{Number(mean)} ± {Number(Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1)))}";

        string Number(double x) => x.ToString(task.Format, CultureInfo.InvariantCulture);
    }
}
