using System.Collections.Immutable;
using Cluster.Trainer.Core;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>What the record says of an evaluation at the clients: the mean, how it is spread over the clients, and each site's own.</summary>
internal static class LocalScores
{
    /// <summary>A record has 256 names at most, and a site two of them.</summary>
    private const int MaxSites = 100;

    /// <summary>
    /// By name: means weighted by what was predicted (<c>localEvalLoss</c>, <c>localEvalAccuracy</c>); of the clients' own means the smallest, the
    /// largest, the median, the first and the ninth decile; how many clients that is, how many were left out because their loss is not
    /// finite, and how many absent. The first hundred sites stand there by their names, not a number for one without a result.
    /// </summary>
    /// <param name="clients">All clients of the job.</param>
    /// <param name="tallies">Their results, in the same order; of no leaf for a client that was away.</param>
    public static ImmutableDictionary<string, double> Of(IReadOnlyList<Leaf> clients, IReadOnlyList<Tally> tallies)
    {
        var values = ImmutableDictionary.CreateBuilder<string, double>();
        Tally[] counted = [.. tallies.Where(IsCounted)];
        values["localEvalClients"] = counted.Length;
        values["localEvalClientsLeftOut"] = tallies.Count(tally => tally.Weight > 0 && !IsCounted(tally));
        values["localEvalClientsAbsent"] = tallies.Count(tally => tally.Leaves == 0);
        if (counted.Length > 0)
        {
            var total = counted.Aggregate(Tally.Add);
            Add("localEvalLoss", total.MeanLoss, [.. counted.Select(tally => tally.MeanLoss).Order()]);
            Add("localEvalAccuracy", total.Accuracy, [.. counted.Select(tally => tally.Accuracy).Order()]);
        }

        foreach (var site in clients.Where(client => client.Site is not null).Take(MaxSites))
        {
            var tally = tallies[site.Index];
            (values[$"localEvalLoss.{site.Site}"], values[$"localEvalAccuracy.{site.Site}"]) = IsCounted(tally) ? (tally.MeanLoss, tally.Accuracy) : (double.NaN, double.NaN);
        }

        return values.ToImmutable();

        void Add(string name, double mean, double[] ascending)
        {
            values[name] = mean;
            values[$"{name}Min"] = ascending[0];
            values[$"{name}Decile1"] = Quantile(ascending, 1);
            values[$"{name}Median"] = Quantile(ascending, 5);
            values[$"{name}Decile9"] = Quantile(ascending, 9);
            values[$"{name}Max"] = ascending[^1];
        }
    }

    private static bool IsCounted(Tally tally) => tally.Weight > 0 && double.IsFinite(tally.Loss);

    /// <summary>The smallest value that so many tenths of all are not above (nearest rank).</summary>
    private static double Quantile(double[] ascending, int tenths) => ascending[((ascending.Length * tenths) + 9) / 10 - 1];
}
