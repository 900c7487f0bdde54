using System.Collections.Immutable;
using Cluster.Contracts.Federation;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>What a round's record says beside its loss: rates, product, participation, traffic.</summary>
internal static class RoundRecord
{
    private const int MaxParts = 32;

    /// <summary>Finite numbers by name.</summary>
    /// <param name="counted">Reports of the clients whose changes are in the mean; at least one.</param>
    /// <param name="all">Of all clients that the round sampled.</param>
    /// <param name="beta">β with which the round began.</param>
    /// <param name="modelBytes">Of the vector that a client and the server send each other.</param>
    /// <param name="sendsUpdate">Clients also get D(t-1): CL needs it.</param>
    public static ImmutableDictionary<string, double> Of(
        in ServerRecord server, IReadOnlyList<ClientReport> counted, IReadOnlyList<ClientReport> all, double beta, long modelBytes, bool sendsUpdate)
    {
        var weight = counted.Sum(client => client.Weight);
        double Mean(Func<ClientReport, double> value) => counted.Sum(client => client.Weight * value(client)) / weight;

        var values = ImmutableDictionary.CreateBuilder<string, double>();
        void Add(string name, double? value) { if (value is { } number && double.IsFinite(number)) { values[name] = number; } }

        Add("globalLr", server.Alpha);
        Add("localLr", beta);
        Add("localLrMin", counted.Min(client => client.BetaMin));
        Add("localLrMean", Mean(client => client.BetaMean));
        Add("localLrMedian", Median([.. counted.Select(client => client.BetaMean).Order()]));
        Add("localLrMax", counted.Max(client => client.BetaMax));
        Add("updateProduct", server.Product);
        Add("updateCosine", server.Cosine);
        Add("clients", counted.Count);
        Add("clientsLeftOut", all.Count(client => client.HasReported) - counted.Count);
        Add("clientsLate", all.Count(client => client.End == ClientEnd.Late));
        Add("clientsAbsent", all.Count(client => client.End == ClientEnd.Absent));
        Add("localSteps", counted.Sum(client => client.Steps));
        Add("lossBefore", Mean(client => client.LossBefore));
        Add("lossAfter", Mean(client => client.LossAfter));
        Add("accuracyBefore", Mean(client => client.AccuracyBefore));
        Add("accuracyAfter", Mean(client => client.AccuracyAfter));

        // What devices of their own would send and get; a client that is left out or late got the model too.
        Add("bytesDown", (double)all.Count(client => client.End != ClientEnd.Absent) * modelBytes * (sendsUpdate ? 2 : 1));
        Add("bytesUp", (double)counted.Count * modelBytes);
        return values.ToImmutable();
    }

    /// <summary>First those that gave the round nothing; a round may ask thousands.</summary>
    /// <param name="reports">By the leaves' positions.</param>
    public static ImmutableArray<ClientPart> PartsOf(IReadOnlyList<Leaf> cohort, IReadOnlyList<ClientReport> reports) =>
    [
        .. cohort.Select(leaf => new ClientPart(leaf.Name ?? FormattableString.Invariant($"leaf {leaf.Index}"), PartOf(reports[leaf.Index].End)))
            .OrderBy(part => part.Kind == PartKind.TookPart).Take(MaxParts),
    ];

    private static PartKind PartOf(ClientEnd end) => end switch
    {
        ClientEnd.Counted => PartKind.TookPart,
        ClientEnd.Late => PartKind.Late,
        ClientEnd.Absent => PartKind.Absent,
        _ => PartKind.LeftOut,
    };

    private static double Median(double[] rising) => (rising[(rising.Length - 1) / 2] + rising[rising.Length / 2]) / 2;
}
