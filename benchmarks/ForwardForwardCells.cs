namespace Cluster.Benchmarks;

/// <summary>One job of the forward-forward table.</summary>
/// <param name="Set">vowels, mnist, or a graph's folder.</param>
/// <param name="Model">Box, net or encoder.</param>
/// <param name="Algorithm">As the spec spells it; of vowels, what the linear maps see; of MNIST, the negatives.</param>
/// <param name="Run">From 0; the seed is one more. It is also the split of a graph that has several, and the fold of the vowels.</param>
internal sealed record ForwardForwardCell(string Set, string Model, string Algorithm, int Layers, int Run)
{
    public const string BackPropagation = "backPropagation", Sf = "sf";

    private const int Runs = 5; // As many splits have the authors published, and as many folds have the vowels.
    private const int MnistRuns = 3;

    /// <summary>With the five splits of the authors, many labels in each.</summary>
    public static readonly string[] Graphs = ["citeseer_full", "cora_ml", "amazon_photo"];

    /// <summary>With the public split of Yang et al. 2016: 20 labels a class.</summary>
    public static readonly string[] FewLabels = ["cora", "citeseer"];

    public static readonly string[] Encoders = ["gcn", "sage", "gat"];

    /// <summary>Besides back-propagation.</summary>
    public static readonly string[] Algorithms = [Sf, "ffLa", "ffVn", "sfTopToInput", "sfTopToLoss"];

    /// <summary>Of back-propagation, whose best depth is looked for; all others have two layers.</summary>
    public static readonly int[] Depths = [2, 3, 4];

    /// <summary>In the order in which they are run: first what has a gate, with single forward by every encoder, then the table split by split.</summary>
    public static IEnumerable<ForwardForwardCell> All()
    {
        IEnumerable<int> runs = Enumerable.Range(0, Runs);
        return
        [
            .. from algorithm in (string[])["skip", "boxOnly"] from run in runs select new ForwardForwardCell("vowels", "quantised", algorithm, 2, run),
            .. from encoder in Encoders from run in runs from graph in Graphs select new ForwardForwardCell(graph, encoder, Sf, 2, run),
            .. from run in runs.Take(MnistRuns) from negatives in (string[])["hardLabel", "randomLabel", BackPropagation] select new ForwardForwardCell("mnist", "mlp", negatives, 2, run),
            .. from run in runs from graph in FewLabels from algorithm in (string[])[Sf, BackPropagation] select new ForwardForwardCell(graph, "gcn", algorithm, 2, run),
            .. from run in runs from encoder in Encoders from graph in Graphs from cell in Variants(graph, encoder, run) select cell,
        ];
    }

    /// <summary>The job, by the production path.</summary>
    public SoleWorker.Outcome Train() => (Set, Algorithm) switch
    {
        ("vowels", _) => SoleWorker.Run("forward-forward-vowels.yaml", [$"seed={Run + 1}", $"data.fold={Run}", $"model.skip={(Algorithm == "skip" ? "true" : "false")}"]),
        ("mnist", BackPropagation) => SoleWorker.Run("mnist-mlp.yaml", [$"seed={Run + 1}"]),
        ("mnist", _) => SoleWorker.Run("forward-forward-mnist.yaml", [$"seed={Run + 1}", $"forwardForward.negatives={Algorithm}"]),
        _ => SoleWorker.Run("forward-forward-graph.yaml",
        [
            $"seed={Run + 1}", $"data.path=graphs/{Set}", $"data.split={(FewLabels.Contains(Set) ? "public" : $"forwardgnn_{Run}")}",
            $"model.kind={Model}", $"model.layers={Layers}", $"forwardForward.algorithm={Algorithm}",
        ]),
    };

    private static IEnumerable<ForwardForwardCell> Variants(string graph, string encoder, int run) =>
    [
        .. Algorithms.Select(algorithm => new ForwardForwardCell(graph, encoder, algorithm, 2, run)),
        .. Depths.Select(layers => new ForwardForwardCell(graph, encoder, BackPropagation, layers, run)),
    ];
}
