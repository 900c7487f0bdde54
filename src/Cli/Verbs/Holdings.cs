using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;

namespace Cluster.Cli.Verbs;

/// <summary>What one client holds.</summary>
/// <param name="Samples">Those that it trains on.</param>
/// <param name="Classes">These of each class; empty where samples have none.</param>
/// <param name="HeldBack">Those that it evaluates on.</param>
internal sealed record Holding(string Name, long Samples, ImmutableArray<int> Classes, long HeldBack);

/// <summary>Who holds what in a federated job.</summary>
/// <param name="Samples">Training samples of all clients together.</param>
/// <param name="Sha256">Of all clients' names and sample numbers: two people with the same hash deal out alike.</param>
internal sealed record Holdings(ImmutableArray<Holding> Clients, long Samples, long EvaluationSamples, string Sha256)
{
    public static Holdings Of(FederatedData data)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var client in data.Clients)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{client.Name}\n"));
            foreach (var sample in client.Samples.Concat(client.HeldBack)) { hash.AppendData(BitConverter.GetBytes(sample)); }
        }

        ImmutableArray<Holding> clients = [.. data.Clients.Select(client => new Holding(client.Name, client.Samples.Length, ClassesOf(client), client.HeldBack.Length))];
        return new(clients, clients.Sum(client => client.Samples), data.Evaluation.Count, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static ImmutableArray<int> ClassesOf(ClientData client)
    {
        if (client.Set is not ILabelledSet labelled) { return []; }
        var counts = new int[labelled.Classes];
        foreach (var sample in client.Samples) { counts[labelled.Labels[(int)sample]]++; }
        return [.. counts];
    }
}
