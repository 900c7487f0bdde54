using System.Globalization;

namespace Cluster.Benchmarks;

/// <summary>
/// Test accuracy by batch size under one recipe: LeNet on MNIST, one base setting at batch 512, square-root scaling and
/// linear-epoch warm-up and nothing else (You et al. 2020, section 4 and appendix). LAMB beside AdamW, LARS and SGD with momentum.
/// </summary>
/// <remarks>
/// <c>sweep OUT.csv OPTIMIZER,... [i/n] [key=value ...]</c> tries each optimiser's base rates at batch 512;
/// <c>table OUT.csv OPTIMIZER:RATE,... [i/n] [key=value ...]</c> fills the table; <c>i/n</c> runs every n-th cell from the i-th,
/// so that n processes share the work; <c>print FILE.csv ...</c> prints the table. Keys are those of the spec, such as
/// <c>device=cuda</c>. Cells that are in OUT.csv already are not run again, so a run that was cut off is gone on with.
/// </remarks>
internal static class BatchTable
{
    private const int BaseBatch = 512;
    private const int MaxLeaf = 4096;

    /// <summary>Of the paper's recipe: 1/320 of the epochs warm up at batch 512, so 1/5 at 32768.</summary>
    private const double WarmupShareAtBase = 1.0 / 320;

    private static readonly int[] Batches = [512, 1024, 2048, 4096, 8192, 16384, 32768];
    private static readonly int[] Epochs = [10, 30];
    private static readonly int[] Seeds = [1, 2, 3];

    /// <summary>None of the table's, so that no rate is chosen on the numbers that are reported.</summary>
    private const int SweepSeed = 100;

    /// <summary>The shorter of the table's; the rate found serves both.</summary>
    private const int SweepEpochs = 10;

    /// <summary>Rates tried at batch 512, by optimiser.</summary>
    private static readonly (string Optimizer, double[] Rates)[] Sweep =
    [
        ("lamb", [0.0025, 0.005, 0.01, 0.02, 0.04]),
        ("adamw", [0.0005, 0.001, 0.002, 0.004, 0.008]),
        ("lars", [2.5, 5, 10, 20, 40]),
        ("sgd", [0.0125, 0.025, 0.05, 0.1, 0.2]),
    ];

    public static int Run(string[] args)
    {
        switch (args)
        {
            case ["sweep", var output, var names, .. var rest]:
                return Fill(output, rest, from s in Sweep where names.Split(',').Contains(s.Optimizer) from rate in s.Rates select new Cell(s.Optimizer, rate, BaseBatch, SweepEpochs, SweepSeed));
            case ["table", var output, var rates, .. var rest]:
                var chosen = rates.Split(',').Select(pair => pair.Split(':')).ToDictionary(pair => pair[0], pair => Number(pair[1]));
                return Fill(output, rest, from epochs in Epochs from seed in Seeds from batch in Batches from pair in chosen select new Cell(pair.Key, pair.Value, batch, epochs, seed));
            case ["print", .. var files]:
                Print(ReadAll(files));
                return 0;
            default:
                Console.Error.WriteLine("usage: batch-table sweep OUT.csv lamb,adamw,lars,sgd [i/n] [key=value ...] | table OUT.csv lamb:RATE,adamw:RATE,lars:RATE,sgd:RATE [i/n] [key=value ...] | print FILE.csv ...");
                return 2;
        }
    }

    private static int Fill(string output, string[] rest, IEnumerable<Cell> cells)
    {
        var (part, of) = rest is [var share, ..] && share.Split('/') is [var i, var n] ? (int.Parse(i, CultureInfo.InvariantCulture), int.Parse(n, CultureInfo.InvariantCulture)) : (0, 1);
        string[] overrides = [.. rest.Where(text => text.Contains('='))];
        var done = File.Exists(output) ? ReadAll([output]).Select(result => result.Cell).ToHashSet() : [];
        using var writer = new StreamWriter(output, append: true) { AutoFlush = true };
        if (done.Count == 0) { writer.WriteLine("optimizer,baseLr,batch,epochs,seed,rounds,skipped,trainLoss,evalLoss,evalAccuracy,seconds"); }
        foreach (var (index, cell) in cells.Index())
        {
            if (index % of != part || done.Contains(cell)) { continue; }
            var result = Train(cell, overrides);
            writer.WriteLine(result);
            Console.WriteLine(result);
        }

        return 0;
    }

    private static Result Train(Cell cell, string[] overrides)
    {
        string[] settings =
        [
            $"optimizer.kind={cell.Optimizer}", $"seed={cell.Seed}", $"batch={cell.Batch}", $"epochs={cell.Epochs}",
            $"leaf={Math.Min(cell.Batch, MaxLeaf)}", $"scaling.base.batch={BaseBatch}", FormattableString.Invariant($"scaling.base.lr={cell.Rate}"),
            FormattableString.Invariant($"scaling.base.warmupEpochs={cell.Epochs * WarmupShareAtBase}"), "nonFinite.maxSkips=1000000",
            .. overrides,
        ];
        var o = SoleWorker.Run("mnist-batch.yaml", settings);
        return new Result(cell, o.Rounds, o.Skipped, o.TrainLoss, o.EvalLoss, o.Accuracy, o.Seconds);
    }

    private static Result[] ReadAll(string[] files) =>
        [.. files.SelectMany(File.ReadLines).Where(line => !line.StartsWith("optimizer", StringComparison.Ordinal)).Select(Result.Parse)];

    private static void Print(Result[] results)
    {
        foreach (var epochs in results.Select(r => r.Cell.Epochs).Distinct().Order())
        {
            var optimizers = results.Where(r => r.Cell.Epochs == epochs).Select(r => (r.Cell.Optimizer, r.Cell.Rate)).Distinct().ToArray();
            Console.WriteLine($"\n{epochs} epochs: test accuracy in %, mean ± standard deviation over the seeds (rate at batch {BaseBatch})\n");
            Console.WriteLine($"| batch | {string.Join(" | ", optimizers.Select(o => FormattableString.Invariant($"{o.Optimizer} ({o.Rate})")))} |");
            Console.WriteLine($"|---:|{string.Concat(optimizers.Select(_ => "---:|"))}");
            foreach (var batch in results.Select(r => r.Cell.Batch).Distinct().Order())
            {
                var columns = optimizers.Select(o => Statistics.Summary([.. results.Where(r => r.Cell.Epochs == epochs && r.Cell.Batch == batch && (r.Cell.Optimizer, r.Cell.Rate) == o).Select(r => 100 * r.Accuracy)]));
                Console.WriteLine($"| {batch} | {string.Join(" | ", columns)} |");
            }
        }
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private sealed record Cell(string Optimizer, double Rate, int Batch, int Epochs, int Seed);

    private sealed record Result(Cell Cell, long Rounds, long Skipped, double TrainLoss, double EvalLoss, double Accuracy, double Seconds)
    {
        public static Result Parse(string line)
        {
            var c = line.Split(',');
            return new Result(
                new Cell(c[0], Number(c[1]), (int)Number(c[2]), (int)Number(c[3]), (int)Number(c[4])),
                (long)Number(c[5]), (long)Number(c[6]), Number(c[7]), Number(c[8]), Number(c[9]), Number(c[10]));
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Cell.Optimizer},{Cell.Rate},{Cell.Batch},{Cell.Epochs},{Cell.Seed},{Rounds},{Skipped},{TrainLoss:G6},{EvalLoss:G6},{Accuracy:F4},{Seconds:F1}");
    }
}
