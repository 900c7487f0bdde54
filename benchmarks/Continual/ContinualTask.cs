namespace Cluster.Benchmarks.Continual;

/// <summary>Three data sets one after the other, a model, and a budget.</summary>
/// <param name="Spec">File in the folder <c>specs</c>, of three stages.</param>
/// <param name="Updates">N: updates of a stage up to its annealed weights.</param>
/// <param name="CooldownEnd">P: the share of N at which the infinite schedule is at its constant rate.</param>
internal sealed record ContinualTask(string Name, string Spec, int Updates, double CooldownEnd)
{
    /// <summary>Of N.</summary>
    public const double WarmupShare = 0.05, TrunkShare = 0.85;

    public static IReadOnlyList<string> Stages { get; } = ["english", "code", "german"];

    public static IReadOnlyList<ContinualTask> All { get; } =
    [
        new("text", "continual-text.yaml", 250, 0.6),
        new("text-1000", "continual-text.yaml", 1000, 0.6),
    ];

    /// <summary>Updates of the trunk in a stage where a release is annealed beside it; the release has the rest of N.</summary>
    public int TrunkUpdates => (int)(TrunkShare * Updates);

    public static ContinualTask Of(string name) => All.Single(task => task.Name == name);
}
