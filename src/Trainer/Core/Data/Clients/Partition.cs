using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;

namespace Cluster.Trainer.Core.Data.Clients;

/// <summary>
/// Deals the samples of one data set out among clients: a pure function of seed, spec and labels. Each sample goes to exactly one
/// client, and each client's samples come in a shuffled order, so that its first so many are a fair choice.
/// </summary>
internal static class Partition
{
    /// <summary>Draws of shares before a Dirichlet partition is given up.</summary>
    private const int MaxDraws = 200;

    /// <summary>Shuffled, then cut into runs whose lengths differ by at most one.</summary>
    /// <returns>Sample numbers, [clients][...].</returns>
    /// <exception cref="BadInputException">There are fewer samples than clients.</exception>
    public static long[][] Iid(long seed, long samples, int clients)
    {
        RequireSamples(samples, clients, "clients");
        var order = new Permutation(Seeds.Derive(seed, SeedPurpose.PartitionOrder), samples);
        return Deal(clients, client => Run(client, clients, samples).Select(place => order[place]));
    }

    /// <summary>
    /// For each class c: shares q_c ~ Dir(α, ..., α) over the clients, and the shuffled samples of c cut where the sum of shares
    /// passes. Drawn anew until every client has <see cref="PartitionSpec.Dirichlet.MinExamples"/>.
    /// </summary>
    /// <exception cref="BadInputException">No draw gives every client so many.</exception>
    public static long[][] Dirichlet(long seed, PartitionSpec.Dirichlet spec, ReadOnlySpan<byte> labels, int classes)
    {
        RequireSamples(labels.Length, (long)spec.Clients * spec.MinExamples, spec.MinExamples == 1 ? "clients" : "clients times minExamples");
        var byClass = SamplesByClass(labels, classes);
        var best = (Client: 0, Fewest: -1); // The draw that came nearest.
        for (var draw = 0; draw < MaxDraws; draw++)
        {
            var held = Enumerable.Range(0, spec.Clients).Select(_ => new List<long>()).ToArray();
            for (var c = 0; c < classes; c++) { Split(seed, draw, c, spec.Alpha, byClass[c], held); }

            var poorest = held.Index().MinBy(client => client.Item.Count);
            if (poorest.Item.Count >= spec.MinExamples) { return [.. held.Select((numbers, client) => Shuffled(seed, client, numbers))]; }
            if (poorest.Item.Count > best.Fewest) { best = (poorest.Index, poorest.Item.Count); }
        }

        throw new BadInputException(
            $"federated.partition: in {MaxDraws} draws of Dirichlet shares a client was always left with too few samples; in the best, client-{best.Client} has {best.Fewest}, and each needs {spec.MinExamples}. Raise alpha, lower minExamples, or have fewer than {spec.Clients} clients.");
    }

    /// <summary>Samples sorted by class, cut into clients times shardsPerClient runs, and the runs dealt out at random.</summary>
    /// <exception cref="BadInputException">There are fewer samples than shards.</exception>
    public static long[][] Shards(long seed, PartitionSpec.Shards spec, ReadOnlySpan<byte> labels, int classes)
    {
        var shards = spec.Clients * (long)spec.ShardsPerClient;
        RequireSamples(labels.Length, shards, "clients times shardsPerClient");
        long[] sorted = [.. SamplesByClass(labels, classes).SelectMany((samples, c) => InOrder(seed, 0, c, samples))];
        var dealt = new Permutation(Seeds.Derive(seed, SeedPurpose.PartitionShares), shards);
        return Deal(spec.Clients, client =>
        {
            var own = Enumerable.Range(0, spec.ShardsPerClient).Select(i => dealt[(long)client * spec.ShardsPerClient + i]);
            return Shuffled(seed, client, [.. own.SelectMany(shard => Run(shard, shards, sorted.Length)).Select(place => sorted[place])]);
        });
    }

    private static void Split(long seed, int draw, int c, double alpha, long[] samples, List<long>[] held)
    {
        if (samples.Length == 0) { return; }

        var shares = DirichletShares.Draw(Seeds.Derive(seed, SeedPurpose.PartitionShares, draw, c), alpha, held.Length);
        var (order, passed, first) = (InOrder(seed, draw, c, samples), 0.0, 0);
        for (var client = 0; client < held.Length; client++)
        {
            passed += shares[client];
            var end = client == held.Length - 1 ? order.Length : Math.Clamp((int)Math.Floor(passed * order.Length), first, order.Length);
            held[client].AddRange(order.AsSpan(first, end - first));
            first = end;
        }
    }

    private static long[] InOrder(long seed, int draw, int c, long[] samples)
    {
        if (samples.Length == 0) { return []; }
        var order = new Permutation(Seeds.Derive(seed, SeedPurpose.PartitionOrder, draw, c), samples.Length);
        return [.. Enumerable.Range(0, samples.Length).Select(place => samples[order[place]])];
    }

    private static long[] Shuffled(long seed, int client, List<long> numbers)
    {
        var order = new Permutation(Seeds.Derive(seed, SeedPurpose.ClientOrder, client), numbers.Count);
        return [.. Enumerable.Range(0, numbers.Count).Select(place => numbers[(int)order[place]])];
    }

    private static long[][] SamplesByClass(ReadOnlySpan<byte> labels, int classes)
    {
        var samples = Enumerable.Range(0, classes).Select(_ => new List<long>()).ToArray();
        for (var i = 0; i < labels.Length; i++) { samples[labels[i]].Add(i); }
        return [.. samples.Select(list => list.ToArray())];
    }

    /// <summary>The places of run <paramref name="index"/> of <paramref name="count"/> over n: ⌊i·n/count⌋ to ⌊(i+1)·n/count⌋ - 1.</summary>
    private static IEnumerable<long> Run(long index, long count, long n)
    {
        var end = (long)((Int128)(index + 1) * n / count);
        for (var place = (long)((Int128)index * n / count); place < end; place++) { yield return place; }
    }

    private static long[][] Deal(int clients, Func<int, IEnumerable<long>> held) => [.. Enumerable.Range(0, clients).Select(client => held(client).ToArray())];

    private static void RequireSamples(long samples, long needed, string what)
    {
        if (samples >= needed) { return; }
        throw new BadInputException($"federated.partition: {needed:N0} {what}, but only {samples:N0} training samples: a client would be without data");
    }
}
