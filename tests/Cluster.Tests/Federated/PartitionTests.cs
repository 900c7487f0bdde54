using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Contracts.Spec.Federated;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data.Clients;

namespace Cluster.Tests.Federated;

/// <summary>Every sample goes to one client, by a rule that depends on nothing but seed, spec and labels.</summary>
public sealed class PartitionTests
{
    private const int Samples = 3_001, Classes = 10;

    private static readonly byte[] s_labels = [.. Enumerable.Range(0, Samples).Select(i => (byte)(Seeds.Mix((ulong)i) % Classes))];

    public static TheoryData<string> Kinds => ["iid", "dirichlet", "shards"];

    [Theory, MemberData(nameof(Kinds))]
    public void Every_sample_is_held_by_exactly_one_client(string kind)
    {
        var held = Deal(kind, seed: 5, clients: 30);
        Assert.Equal(30, held.Length);
        Assert.All(held, own => Assert.NotEmpty(own));
        Assert.Equal(Enumerable.Range(0, Samples).Select(i => (long)i), held.SelectMany(own => own).Order());
    }

    [Theory, MemberData(nameof(Kinds))]
    public void The_same_seed_deals_the_same_and_another_seed_does_not(string kind)
    {
        Assert.Equal(Deal(kind, 5, 30), Deal(kind, 5, 30));
        Assert.NotEqual(Deal(kind, 5, 30), Deal(kind, 6, 30));
    }

    /// <summary>Part of every federated job's answer: a change here changes them all.</summary>
    [Theory]
    [InlineData("iid", "68dd2e93e346648c")]
    [InlineData("dirichlet", "c96b7d74f1a17cac")]
    [InlineData("shards", "318612cb44f1c9f4")]
    public void The_partition_of_a_known_seed_stays_the_same(string kind, string hash) =>
        Assert.StartsWith(hash, Hash(Deal(kind, 5, 30)), StringComparison.Ordinal);

    [Fact]
    public void Iid_shares_differ_by_at_most_one_sample_and_mix_the_classes()
    {
        var held = Deal("iid", 1, 30);
        Assert.InRange(held.Max(own => own.Length) - held.Min(own => own.Length), 0, 1);
        Assert.All(held, own => Assert.True(ClassesOf(own) >= 8));
    }

    [Fact]
    public void Shards_give_each_client_few_classes()
    {
        var held = Deal("shards", 1, 30);
        Assert.InRange(held.Max(own => own.Length) - held.Min(own => own.Length), 0, 2);
        Assert.All(held, own => Assert.InRange(ClassesOf(own), 1, 4)); // Two shards of about 50 of 300 samples a class: each has one class or two.
    }

    /// <summary>The first samples of a client are a fair choice: sorted by class they would be of one.</summary>
    [Fact]
    public void A_clients_samples_are_shuffled()
    {
        var held = Partition.Dirichlet(1, new() { Clients = 3, Alpha = 100 }, s_labels, Classes);
        Assert.All(held, own => Assert.True(ClassesOf(own[..60]) >= 8));
    }

    /// <summary>A small α concentrates a class on few clients, a large one spreads it evenly.</summary>
    [Fact]
    public void Alpha_rules_how_unequal_the_shares_are()
    {
        double LargestShare(double alpha)
        {
            var held = Partition.Dirichlet(3, new() { Clients = 10, Alpha = alpha }, s_labels, Classes);
            return Enumerable.Range(0, Classes).Average(c =>
            {
                var counts = held.Select(own => own.Count(sample => s_labels[sample] == c)).ToArray();
                return (double)counts.Max() / counts.Sum();
            });
        }

        Assert.InRange(LargestShare(0.05), 0.6, 1);
        Assert.InRange(LargestShare(1), 0.2, 0.5);
        Assert.InRange(LargestShare(10_000), 0.1, 0.12);
    }

    [Fact]
    public void Every_client_gets_the_least_that_is_asked_for() =>
        Assert.All(Partition.Dirichlet(4, new() { Clients = 30, Alpha = 0.1, MinExamples = 10 }, s_labels, Classes), own => Assert.True(own.Length >= 10));

    [Fact]
    public void A_partition_that_leaves_a_client_without_data_is_refused_in_words()
    {
        Assert.Contains("4,000 clients, but only 3,001 training samples: a client would be without data", Refused(() => Partition.Iid(1, Samples, 4_000)), StringComparison.Ordinal);
        Assert.Contains("clients times shardsPerClient", Refused(() => Partition.Shards(1, new() { Clients = 2_000 }, s_labels, Classes)), StringComparison.Ordinal);
        var poor = Refused(() => Partition.Dirichlet(1, new() { Clients = 200, Alpha = 0.01 }, s_labels, Classes));
        Assert.Contains("in 200 draws", poor, StringComparison.Ordinal);
        Assert.Contains("Raise alpha", poor, StringComparison.Ordinal);
        Assert.Contains("clients times minExamples", Refused(() => Partition.Dirichlet(1, new() { Clients = 200, Alpha = 1, MinExamples = 16 }, s_labels, Classes)), StringComparison.Ordinal);
    }

    /// <summary>Mean 1/n and variance (1/n)(1-1/n)/(nα+1) of each share, for α on both sides of 1 and far below it.</summary>
    [Theory]
    [InlineData(0.001)]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(7)]
    public void Dirichlet_shares_have_their_mean_and_variance(double alpha)
    {
        const int count = 5, draws = 20_000;
        var (sum, squares) = (0.0, 0.0);
        for (var draw = 0; draw < draws; draw++)
        {
            var shares = DirichletShares.Draw(Seeds.Derive(17, SeedPurpose.PartitionShares, draw), alpha, count);
            Assert.Equal(1, shares.Sum(), 12);
            Assert.All(shares, share => Assert.InRange(share, 0, 1));
            (sum, squares) = (sum + shares[2], squares + (shares[2] * shares[2]));
        }

        const double mean = 1.0 / count;
        var variance = mean * (1 - mean) / ((count * alpha) + 1);
        Assert.InRange(sum / draws, mean - (5 * Math.Sqrt(variance / draws)), mean + (5 * Math.Sqrt(variance / draws)));
        Assert.InRange((squares / draws) - (mean * mean), 0.93 * variance, 1.07 * variance);
    }

    private static long[][] Deal(string kind, long seed, int clients) => kind switch
    {
        "iid" => Partition.Iid(seed, Samples, clients),
        "dirichlet" => Partition.Dirichlet(seed, new PartitionSpec.Dirichlet { Clients = clients, Alpha = 0.5 }, s_labels, Classes),
        _ => Partition.Shards(seed, new PartitionSpec.Shards { Clients = clients }, s_labels, Classes),
    };

    private static int ClassesOf(IEnumerable<long> samples) => samples.Select(sample => s_labels[sample]).Distinct().Count();

    private static string Hash(long[][] held) =>
        Convert.ToHexStringLower(SHA256.HashData([.. held.SelectMany(own => own.Append(-1)).SelectMany(BitConverter.GetBytes)]));

    private static string Refused(Func<object> act) => Assert.Throws<BadInputException>(act).Message;
}
