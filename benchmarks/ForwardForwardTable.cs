using System.Globalization;

namespace Cluster.Benchmarks;

/// <summary>
/// Accuracy of layer-local learning, beside what its papers report and beside back-propagation: vowels behind a black box (Momeni et al.
/// 2023), ForwardGNN on five graphs (Park et al. 2024), MNIST (Hinton 2022).
/// </summary>
/// <remarks>
/// <c>table OUT.csv [SET ...]</c> fills the table, or what it has of these sets; cells that are in OUT.csv already are not run again, so
/// a run that was cut off is gone on with. <c>print FILE.csv ...</c> prints it. <c>memory</c> is <see cref="ForwardForwardMemory"/>.
/// </remarks>
internal static class ForwardForwardTable
{
    private const string Header = "set,model,algorithm,layers,run,rounds,evalLoss,evalAccuracy,seconds";

    public static int Run(string[] args)
    {
        switch (args)
        {
            case ["table", var output, .. var sets]:
                Fill(output, [.. ForwardForwardCell.All().Distinct().Where(cell => sets.Length == 0 || sets.Contains(cell.Set))]);
                return 0;
            case ["print", .. var files]:
                ForwardForwardPrint.All([.. files.SelectMany(Read)]);
                return 0;
            case ["memory"]:
                ForwardForwardMemory.Run();
                return 0;
            default:
                Console.Error.WriteLine("usage: forward-forward-table table OUT.csv [SET ...] | print FILE.csv ... | memory");
                return 2;
        }
    }

    private static void Fill(string output, ForwardForwardCell[] cells)
    {
        var done = File.Exists(output) ? Read(output).Select(result => result.Cell).ToHashSet() : [];
        using var writer = new StreamWriter(output, append: true) { AutoFlush = true };
        if (done.Count == 0) { writer.WriteLine(Header); }
        foreach (var cell in cells.Where(cell => !done.Contains(cell)))
        {
            var outcome = cell.Train();
            var result = new Result(cell, outcome.Rounds, outcome.EvalLoss, outcome.Accuracy, outcome.Seconds);
            writer.WriteLine(result);
            Console.WriteLine(result);
        }
    }

    private static IEnumerable<Result> Read(string file) => File.ReadLines(file).Where(line => line != Header).Select(Result.Parse);

    /// <param name="Accuracy">0 to 1.</param>
    public sealed record Result(ForwardForwardCell Cell, long Rounds, double Loss, double Accuracy, double Seconds)
    {
        public static Result Parse(string line)
        {
            var c = line.Split(',');
            return new Result(new ForwardForwardCell(c[0], c[1], c[2], (int)Number(c[3]), (int)Number(c[4])), (long)Number(c[5]), Number(c[6]), Number(c[7]), Number(c[8]));
        }

        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture, $"{Cell.Set},{Cell.Model},{Cell.Algorithm},{Cell.Layers},{Cell.Run},{Rounds},{Loss:G6},{Accuracy:F5},{Seconds:F1}");

        private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }
}
