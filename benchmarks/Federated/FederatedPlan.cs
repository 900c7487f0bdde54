namespace Cluster.Benchmarks.Federated;

/// <summary>
/// All cells, the most telling first, so that the table says something whenever it is cut off: what the relations of
/// <see cref="FederatedRelations"/> need, seed by seed; then Fashion-MNIST, the base lines, CIFAR-10, and other rates.
/// </summary>
internal static class FederatedPlan
{
    private static readonly int[] s_seeds = [1, 2, 3];
    private static readonly string[] s_global = [FederatedMethods.FedAvg, FederatedMethods.G, FederatedMethods.GCL];

    public static IEnumerable<FederatedCell> Cells() => Enumerable.Distinct<FederatedCell>(
        [.. Relations(), .. Cosine(), .. Fashion(), .. BaseLines(), .. Cifar10(), .. Between()]);

    private static IEnumerable<FederatedCell> Relations() =>
        from seed in s_seeds
        from cell in
            Grid("mnist", FederatedMethods.Hyper, [0.001, 0.01, 0.1], 1, seed)
            .Concat(Grid("mnist", s_global, [0.01], 0.5, seed))
            .Concat(Text("text", FederatedTask.TextRates, seed))
            .Concat(Text("text-sgd", FederatedTask.SgdTextRates, seed))
        select cell;

    private static IEnumerable<FederatedCell> Text(string task, double[] betas, int seed) =>
        Grid(task, [FederatedMethods.FedAvg, FederatedMethods.SL, FederatedMethods.CL], betas[..1], 1, seed)
        .Concat(Grid(task, [FederatedMethods.FedAvg, FederatedMethods.G], betas[1..2], 1, seed));

    /// <summary>G where its changes are large.</summary>
    private static IEnumerable<FederatedCell> Cosine() => from seed in s_seeds from cell in Grid("text", [FederatedMethods.GCosine], FederatedTask.TextRates[1..2], 1, seed) select cell;

    private static IEnumerable<FederatedCell> Fashion() =>
        from seed in s_seeds from task in (string[])["fashion-0.5", "fashion-0.1"] from cell in Grid(task, FederatedMethods.Hyper, [0.001, 0.01], 1, seed) select cell;

    private static IEnumerable<FederatedCell> BaseLines() =>
        from seed in s_seeds
        from cell in Grid("mnist", FederatedMethods.BaseLines, [0.001, 0.01, 0.1], 1, seed).Concat(Grid("mnist", s_global, [0.01], 2, seed))
        select cell;

    private static IEnumerable<FederatedCell> Cifar10() =>
        from seed in s_seeds from task in (string[])["cifar10-0.5", "cifar10-0.1"] from cell in Grid(task, FederatedMethods.Hyper, [0.01], 1, seed) select cell;

    private static IEnumerable<FederatedCell> Between() =>
        from seed in s_seeds
        from cell in
            Grid("text", FederatedMethods.Hyper, FederatedTask.TextRates, 1, seed)
            .Concat(Grid("mnist", FederatedMethods.Hyper, [0.005, 0.05], 1, seed))
            .Concat(Grid("cifar10-0.5", FederatedMethods.Hyper, [0.001], 1, seed))
            .Concat(Grid("cifar10-0.1", FederatedMethods.Hyper, [0.001], 1, seed))
        select cell;

    private static IEnumerable<FederatedCell> Grid(string task, IReadOnlyList<string> methods, double[] betas, double alpha, int seed) =>
        from beta in betas from method in methods select new FederatedCell(task, method, beta, alpha, seed);
}
