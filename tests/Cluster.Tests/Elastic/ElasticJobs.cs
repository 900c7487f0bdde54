namespace Cluster.Tests.Elastic;

/// <summary>Jobs of a few seconds on three workers of two cores: long enough to be disturbed in the middle.</summary>
internal static class ElasticJobs
{
    /// <summary>13 leaves a round, the last one ragged.</summary>
    public const string Digits = """
        name: digits
        method: lamb
        model: { kind: mlp, hidden: [192, 96], dropout: 0.1 }
        data: { kind: digits }
        batch: 500
        leaf: 40
        rounds: 900
        schedule: { lr: 0.02, warmupRounds: 5 }
        checkpoint: { everyRounds: 50 }
        evaluate: { everyRounds: 300 }
        """;

    public const string Gpt = """
        name: gpt
        method: lamb
        model: { kind: gpt, layers: 2, width: 48, heads: 2, context: 48, dropout: 0.1 }
        data: { kind: text, files: [text/tinyshakespeare.txt] }
        batch: 28
        leaf: 4
        rounds: 160
        schedule: { lr: 0.01, warmupRounds: 3 }
        checkpoint: { everyRounds: 20 }
        evaluate: { samples: 128 }
        """;

    /// <summary>Five layers on three workers, three leaves a round, the last one ragged.</summary>
    public const string Layers = """
        name: layers
        method: forwardForward
        model: { kind: mlp, hidden: [128, 96, 128, 96, 64] }
        data: { kind: digits }
        batch: 110
        leaf: 40
        rounds: 320
        optimizer: { kind: sgd, momentum: 0.9 }
        schedule: { lr: 0.002 }
        checkpoint: { everyRounds: 50 }
        evaluate: { everyRounds: 120, samples: 300 }
        forwardForward: { kind: dense, parallel: layers, negatives: randomLabel, label: prepend, peer: 0.03 }
        """;

    /// <summary>7 clients a round, of very unequal sizes; both rates and the server's moments move.</summary>
    public const string Federated = """
        name: federated
        method: fedHyper
        model: { kind: mlp, hidden: [32] }
        data: { kind: digits }
        rounds: 200
        federated:
          partition: { kind: dirichlet, clients: 20, alpha: 0.3 }
          clientsPerRound: 7
          localEpochs: 1
          localBatch: 16
          localLr: 0.01
          scheduler: { kind: fedHyper, variant: g+cl }
          server: { kind: fedAvgM }
        checkpoint: { everyRounds: 20 }
        evaluate: { everyRounds: 50 }
        """;

    /// <summary>Trunk, branch, trunk, branch: kills fall into all of them, and into the rounds of fork and return.</summary>
    public const string Continual = """
        name: continual
        method: continual
        model: { kind: gpt, layers: 2, width: 48, heads: 2, context: 48, dropout: 0.1 }
        batch: 28
        leaf: 4
        optimizer: { kind: adamw }
        continual:
          schedule: { kind: infinite, max: 5e-3, constant: 2e-3, min: 2e-4, warmupEnd: 5, cooldownEnd: 30 }
          stages:
            - name: plays
              data: { kind: text, files: [text/tinyshakespeare.txt] }
              updates: 50
              release: { updates: 25 }
            - name: prose
              data: { kind: text, files: [text/wilhelm-meister.txt] }
              updates: 50
              mixture: { kind: replay, share: 0.25 }
              moments: reset
              release: { updates: 25 }
        checkpoint: { everyRounds: 20 }
        evaluate: { samples: 64 }
        """;

    /// <summary>Needs MNIST: it takes part where the data folder has it.</summary>
    public const string LeNet = """
        name: lenet
        method: lamb
        model: { kind: lenet }
        data: { kind: mnist }
        batch: 256
        leaf: 32
        rounds: 200
        schedule: { lr: 0.01, warmupRounds: 5 }
        checkpoint: { everyRounds: 25 }
        evaluate: { samples: 512 }
        """;
}
