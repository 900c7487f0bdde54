namespace Cluster.Contracts.Spec.Continual;

/// <summary>What a release is called where its spec does not say.</summary>
public static class ReleaseNames
{
    /// <param name="stage">In which it lies.</param>
    public static string Of(ReleaseSpec release, ContinualStageSpec stage) =>
        release.Name ?? (release.At is { } at ? FormattableString.Invariant($"{stage.Name}-{at}") : stage.Name);
}
