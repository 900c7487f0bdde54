using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.FedHyper;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Federated;

/// <summary>Small federated jobs, and their rounds on one rank without a loop.</summary>
internal static class FederatedJobs
{
    public const string Digits =
        """
        name: federated
        method: fedHyper
        model: {kind: mlp, hidden: [16]}
        data: {kind: digits}
        rounds: 8
        federated:
          partition: {kind: dirichlet, clients: 12, alpha: 0.5}
          maxExamples: 96
          clientsPerRound: 5
          localEpochs: 1
          localBatch: 32
          localLr: 0.02
        evaluate: {samples: 256}
        """;

    public static JobSpec Spec(params string[] overrides) => SpecReader.Read(Digits, "federated.yaml", overrides).Require();

    public static FederatedMethod Create(JobSpec spec) => new(spec, [DataRoots.Shipped], CPU);

    /// <summary>A round as the loop runs it on one rank.</summary>
    public static RoundResult Round(FederatedMethod method, long round, IEnumerable<Leaf>? leaves = null)
    {
        using var sum = new FlatBuffer(method.ContributionLength);
        using var part = new FlatBuffer(method.ContributionLength);
        var total = default(Tally);
        foreach (var leaf in leaves ?? method.Leaves(round))
        {
            total += method.Contribute(round, leaf, part);
            sum.Add(part);
        }

        return method.Update(round, sum, total);
    }

    public static float[] Weights(FederatedMethod method) => method.State.Buffers[0].Buffer.Span.ToArray();

    /// <summary>Clients whose samples are those of another set, with inputs that are not a number.</summary>
    public static FederatedData Poisoned(FederatedData data, params int[] clients) => data with
    {
        Clients = [.. data.Clients.Select((client, i) => clients.Contains(i) ? client with { Set = new PoisonedSet(client.Set) } : client)],
    };

    private sealed class PoisonedSet(IDataSet set) : IDataSet
    {
        public long Count => set.Count;

        public IReadOnlyList<long> InputShape => set.InputShape;

        public int Classes => set.Classes;

        public Batch Gather(ReadOnlySpan<long> samples, ulong seed, Device device)
        {
            var batch = set.Gather(samples, seed, device);
            batch.Inputs.fill_(float.NaN);
            return batch;
        }
    }
}
