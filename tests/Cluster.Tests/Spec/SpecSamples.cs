using Cluster.Contracts.Spec;

namespace Cluster.Tests.Spec;

/// <summary>Specs that the tests start from, and where the repository keeps its own.</summary>
internal static class SpecSamples
{
    /// <summary>A small valid spec; the tests replace parts of it and count on its line numbers.</summary>
    public const string Digits =
        """
        name: digits
        method: lamb
        model: {kind: mlp}
        data: {kind: digits}
        batch: 128
        epochs: 2
        optimizer:
          kind: lamb
          beta1: 0.9
        schedule:
          lr: 0.01
          warmupShare: 0.1
        """;

    public const string Text =
        """
        name: text
        method: lamb
        model:
          kind: gpt
          context: 64
        data: {kind: text, files: [a.txt]}
        batch: 64
        rounds: 100
        schedule: {lr: 0.01}
        """;

    public const string Stages =
        """
        name: stages
        method: lamb
        model: {kind: bert, context: 512}
        data: {kind: text, files: [a.txt]}
        leaf: 32
        schedule: {lr: 0.01, warmupShare: 0.1}
        stages:
          - name: short
            batch: 64
            epochs: 9
            sequence: 128
          - name: long
            batch: 32
            epochs: 1
            sequence: 512
        """;

    public const string Federated =
        """
        name: federated
        method: fedHyper
        model: {kind: mlp}
        data: {kind: digits}
        rounds: 30
        federated:
          partition: {kind: dirichlet, clients: 30, alpha: 0.5}
          clientsPerRound: 6
          localEpochs: 2
          localLr: 0.01
          scheduler:
            kind: fedHyper
            variant: g+cl
          server: {kind: fedAvg}
        """;

    public static string Root { get; } = FindRoot();

    public static JobSpec Read(string yaml, params string[] overrides) => SpecReader.Read(yaml, "spec.yaml", overrides).Require();

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Cluster.sln")))
        {
            directory = directory.Parent ?? throw new DirectoryNotFoundException("no folder above the tests holds Cluster.sln");
        }

        return directory.FullName;
    }
}
