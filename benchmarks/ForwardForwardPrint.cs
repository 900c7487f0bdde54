using System.Globalization;
using Result = Cluster.Benchmarks.ForwardForwardTable.Result;

namespace Cluster.Benchmarks;

/// <summary>The forward-forward table as Markdown: accuracies in %, mean ± standard deviation of the runs there are, and how many.</summary>
internal static class ForwardForwardPrint
{
    private const string PaperFile = "forwardgnn-paper.csv";

    public static void All(IReadOnlyCollection<Result> results)
    {
        Gates(results);
        Graphs(results);
        FewLabels(results);
    }

    private static void Gates(IReadOnlyCollection<Result> results)
    {
        Console.WriteLine("| set | model | learning | wanted | measured | runs |\n|---|---|---|---:|---:|---:|");
        (string Set, string Model, string Algorithm, string Wanted)[] rows =
        [
            ("vowels", "quantised", "skip", "≥ 94"), ("vowels", "quantised", "boxOnly", "-"),
            .. ForwardForwardCell.Graphs.Zip((string[])["≥ 93.2", "≥ 86", "≥ 92.5"], (graph, wanted) => (graph, "gcn", ForwardForwardCell.Sf, wanted)),
            ("mnist", "mlp", "hardLabel", "≥ 97.3"), ("mnist", "mlp", "randomLabel", "≥ 96.4"), ("mnist", "mlp", ForwardForwardCell.BackPropagation, "-"),
        ];
        foreach (var (set, model, algorithm, wanted) in rows)
        {
            var runs = Accuracies(results, set, model, algorithm, 2);
            Console.WriteLine($"| {set} | {model} | {algorithm} | {wanted} | {Statistics.Summary(runs)} | {runs.Length} |");
        }
    }

    /// <summary>Beside the paper's numbers; of back-propagation every depth, the best of each in bold.</summary>
    private static void Graphs(IReadOnlyCollection<Result> results)
    {
        var paper = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "specs", PaperFile)).Skip(1).Select(line => line.Split(','))
            .ToDictionary(c => (c[0], c[1], c[2], c[3]), c => $"{c[4]} ± {c[5]}");
        Console.WriteLine($"\n| encoder | learning | layers |{string.Concat(ForwardForwardCell.Graphs.Select(graph => $" {graph} | the paper | runs |"))}");
        Console.WriteLine($"|---|---|---:|{string.Concat(ForwardForwardCell.Graphs.Select(_ => "---:|---:|---:|"))}");
        foreach (var encoder in ForwardForwardCell.Encoders)
        {
            (string, int)[] rows =
            [
                .. ForwardForwardCell.Algorithms.Select(algorithm => (algorithm, 2)),
                .. ForwardForwardCell.Depths.Select(layers => (ForwardForwardCell.BackPropagation, layers)),
            ];
            foreach (var (algorithm, layers) in rows)
            {
                var columns = ForwardForwardCell.Graphs.Select(graph =>
                {
                    var runs = Accuracies(results, graph, encoder, algorithm, layers);
                    var text = algorithm == ForwardForwardCell.BackPropagation && layers == BestDepth(results, graph, encoder) ? $"**{Statistics.Summary(runs)}**" : Statistics.Summary(runs);
                    return $" {text} | {paper[(graph, encoder, algorithm, layers.ToString(CultureInfo.InvariantCulture))]} | {runs.Length} |";
                });
                Console.WriteLine($"| {encoder} | {algorithm} | {layers} |{string.Concat(columns)}");
            }
        }
    }

    private static void FewLabels(IReadOnlyCollection<Result> results)
    {
        string[] algorithms = [ForwardForwardCell.Sf, ForwardForwardCell.BackPropagation];
        Console.WriteLine($"\n| graph, public split |{string.Concat(algorithms.Select(algorithm => $" {algorithm} | runs |"))}\n|---|{string.Concat(algorithms.Select(_ => "---:|---:|"))}");
        foreach (var graph in ForwardForwardCell.FewLabels)
        {
            var columns = algorithms.Select(algorithm => Accuracies(results, graph, "gcn", algorithm, 2)).Select(runs => $" {Statistics.Summary(runs)} | {runs.Length} |");
            Console.WriteLine($"| {graph} |{string.Concat(columns)}");
        }
    }

    /// <summary>Of back-propagation; 0 where nothing was run.</summary>
    private static int BestDepth(IReadOnlyCollection<Result> results, string graph, string encoder) => ForwardForwardCell.Depths
        .Where(layers => Accuracies(results, graph, encoder, ForwardForwardCell.BackPropagation, layers).Length > 0)
        .OrderByDescending(layers => Accuracies(results, graph, encoder, ForwardForwardCell.BackPropagation, layers).Average()).FirstOrDefault();

    private static double[] Accuracies(IReadOnlyCollection<Result> results, string set, string model, string algorithm, int layers) =>
        [.. results.Where(r => (r.Cell.Set, r.Cell.Model, r.Cell.Algorithm, r.Cell.Layers) == (set, model, algorithm, layers)).Select(r => 100 * r.Accuracy)];
}
