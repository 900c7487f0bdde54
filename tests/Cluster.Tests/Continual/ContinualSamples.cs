using Cluster.Contracts.Spec;

namespace Cluster.Tests.Continual;

/// <summary>A small continual spec that the tests start from; they count on its line numbers.</summary>
internal static class ContinualSamples
{
    public const string Yaml =
        """
        name: three-texts
        method: continual
        model: {kind: gpt, layers: 1, width: 16, heads: 2, context: 16}
        batch: 8
        leaf: 3
        optimizer: {kind: adamw, beta2: 0.95}
        continual:
          schedule: {kind: infinite, max: 1e-2, constant: 4e-3, min: 4e-4, warmupEnd: 2.5, cooldownEnd: 6}
          stages:
            - name: plays
              data: {kind: text, files: [text/tinyshakespeare.txt]}
              updates: 6
              release: {updates: 3}
            - name: digits
              data: {kind: text, files: [digits/optdigits.tes]}
              updates: 5
              mixture: {kind: replay, share: 0.5}
              moments: reset
              release: {updates: 2, mixture: {kind: equal}}
            - name: names
              data: {kind: text, files: [digits/optdigits.names], evaluationShare: 0.2}
              updates: 4
              mixture: {kind: shares, of: [{stage: plays, share: 0.25}, {stage: names, share: 0.75}]}
          releases:
            - {at: 8, updates: 2, min: 1e-3, tail: linear}
        checkpoint: {everyRounds: 4, keep: 2}
        evaluate: {everyRounds: 5, samples: 24}
        """;

    public static JobSpec Read(params string[] overrides) => SpecReader.Read(Yaml, "spec.yaml", overrides).Require();

    /// <summary>Overrides by which all its releases anneal apart.</summary>
    public static string[] Apart { get; } = ["continual.stages[0].release.branch=apart", "continual.stages[1].release.branch=apart", "continual.releases[0].branch=apart"];

    /// <summary>The spec with every release taken out but those after these updates.</summary>
    public static JobSpec WithReleases(params long[] at)
    {
        var spec = Read();
        var stages = spec.Continual!.Stages.Select(stage => stage with { Release = null });
        return spec with
        {
            Continual = spec.Continual with { Stages = [.. stages], Releases = [.. at.Select(update => new Contracts.Spec.Continual.ReleaseSpec { At = update, Updates = 2 })] },
        };
    }
}
