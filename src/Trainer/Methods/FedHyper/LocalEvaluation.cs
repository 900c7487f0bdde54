using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Core.Models;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>
/// The global model on what the clients hold back. Each client is a leaf of the evaluation, a site's goes to the site: one by one, whatever
/// way they are trained.
/// </summary>
/// <param name="model">Has the global weights when a client is asked for.</param>
internal sealed class LocalEvaluation(JobSpec spec, FederatedData data, FlatModel model, Device device)
{
    /// <summary>The i-th leaf is the i-th client.</summary>
    public EvaluationSet Set { get; } = Of(data);

    /// <summary>Depends on the weights and the client alone.</summary>
    /// <returns>Of one leaf; without weight for a client that holds nothing back.</returns>
    public Tally At(int client)
    {
        var (set, heldBack) = (data.Clients[client].Set, data.Clients[client].HeldBack);
        var masking = Seeds.Derive(spec.Seed, SeedPurpose.Masking, -1, 1 + client);
        var total = default(Tally);
        foreach (var samples in heldBack.Chunk(EvaluationSet.LeafSize))
        {
            using var batch = set.Gather(samples, masking, device);
            total += model.EvaluateLeaf(batch);
        }

        return total with { Leaves = 1 };
    }

    private static EvaluationSet Of(FederatedData data)
    {
        Leaf[] clients = [.. data.Clients.Select((client, i) => new Leaf(i, First: i, Count: 1) { Name = client.Name, Site = client.IsSite ? client.Name : null })];
        return new EvaluationSet("clients", clients) { ValuesOf = tallies => LocalScores.Of(clients, tallies) };
    }
}
