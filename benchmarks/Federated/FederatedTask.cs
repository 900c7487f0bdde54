namespace Cluster.Benchmarks.Federated;

/// <summary>A data set, a network and a way to deal out the data.</summary>
/// <param name="Spec">File in the folder <c>specs</c>.</param>
/// <param name="Settings">What differs from it.</param>
/// <param name="Target">The accuracy to which rounds are counted.</param>
/// <param name="Window">Where β stays, for the variants that move it; null: the default, 0.001 to 0.1.</param>
internal sealed record FederatedTask(string Name, string Spec, string[] Settings, double Target, string? Window = null)
{
    /// <summary>Share of spaces, the most frequent character, in the text's evaluation part: what a model that learnt nothing else reaches.</summary>
    public const double TextBaseRate = 0.162;

    /// <summary>β(0) of text-sgd: far too small, small.</summary>
    public static double[] SgdTextRates { get; } = [0.01, 0.05];

    /// <summary>
    /// β(0) of text: far too small, small, less small, good. The clients' Adam wants about 1/200 of plain SGD's rate, so these and the
    /// window are 1/200 of the rates 0.01, 0.05, 0.1, 0.5 and the window 0.01 to 1.
    /// </summary>
    public static double[] TextRates { get; } = [0.00005, 0.00025, 0.0005, 0.0025];

    public static IReadOnlyList<FederatedTask> All { get; } =
    [
        new("mnist", "federated-images.yaml", [], 0.8),
        new("text", "federated-text.yaml", [], 0.25, "{low: 0.00005, high: 0.005}"),
        new("text-sgd", "federated-text.yaml", ["federated.localOptimizer={kind: sgd}"], 0.25, "{low: 0.01, high: 1}"),
        new("fashion-0.5", "federated-images.yaml", ["data={kind: fashion-mnist}"], 0.7),
        new("fashion-0.1", "federated-images.yaml", ["data={kind: fashion-mnist}", "federated.partition.alpha=0.1"], 0.65),
        new("cifar10-0.5", "federated-images.yaml", ["data={kind: cifar10}", "model={kind: lenet}"], 0.25),
        new("cifar10-0.1", "federated-images.yaml", ["data={kind: cifar10}", "model={kind: lenet}", "federated.partition.alpha=0.1"], 0.25),
    ];

    public static FederatedTask Of(string name) => All.Single(task => task.Name == name);
}

/// <summary>The paper's schedulers and its base lines, by the names of the table.</summary>
internal static class FederatedMethods
{
    public const string FedAvg = "fedavg", G = "g", SL = "sl", CL = "cl", GCL = "g+cl", GCosine = "g-cosine";

    public static IReadOnlyList<string> Hyper { get; } = [FedAvg, G, SL, CL, GCL];

    public static IReadOnlyList<string> BaseLines { get; } = ["fedexp", "decay", "fedavgm", "fedadam"];

    /// <summary>In the order of the table's columns.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Hyper, GCosine, .. BaseLines];

    /// <summary>The settings of a spec that make the method.</summary>
    public static string[] Settings(string method, string? window) => method switch
    {
        FedAvg => ["federated.scheduler={kind: constant}"],
        G => ["federated.scheduler={kind: fedHyper, variant: g}"],
        GCosine => ["federated.scheduler={kind: fedHyper, variant: g, product: cosine, globalHyperStep: 0.2}"],
        SL or CL or GCL => [$"federated.scheduler={{kind: fedHyper, variant: {method}{(window is null ? "" : $", localWindow: {window}")}}}"],
        "fedexp" => ["federated.scheduler={kind: fedExp}", "federated.weighting=uniform"],
        "decay" => ["federated.scheduler={kind: decay, factor: 0.995}"],
        "fedavgm" => ["federated.scheduler={kind: constant}", "federated.server={kind: fedAvgM, momentum: 0.9}"],
        "fedadam" => ["federated.scheduler={kind: constant}", "federated.server={kind: fedAdam, lr: 0.01}"],
        _ => throw new ArgumentException($"no method {method}", nameof(method)),
    };
}
