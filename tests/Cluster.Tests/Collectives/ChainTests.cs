using Cluster.Trainer.Core.Collectives;

namespace Cluster.Tests.Collectives;

/// <summary>Ranks in a row: everything upward in order, nothing downward but credits, and no rank waits for one that is lost.</summary>
public sealed class ChainTests
{
    private const int Longest = 5_000;

    /// <summary>Vectors of a round, by length: rounds differ, and one has none.</summary>
    private static long[] Lengths(long round) => [.. Enumerable.Range(0, (int)(round % 4)).Select(i => 1 + (((round * 977) + (i * 331)) % Longest))];

    /// <summary>Each rank adds one to every number: the last one finds the numbers of the first, plus its rank.</summary>
    [Theory, InlineData(2, false), InlineData(3, true), InlineData(4, false)]
    public async Task Every_rank_sees_every_vector_in_order_and_sends_nothing_down(int size, bool shared)
    {
        const int rounds = 30;
        using var meshes = await LocalMeshes.Connect(size, _ => shared);
        var before = await meshes.OnAll(mesh => mesh.BytesSent);
        await meshes.OnAll(mesh =>
        {
            using var chain = mesh.CreateChain(Lengths, Longest, Longest);
            for (var begin = 0; begin < rounds; begin += 10) // Three stretches on one chain.
            {
                chain.Begin(begin);
                for (var round = begin; ; round++)
                {
                    Round(chain, round, mesh.Rank);
                    if (chain.EndRound(isLast: round + 1 == begin + 10)) { Assert.Equal(begin + 9, round); break; }
                }

                chain.Finish();
                Assert.Equal(0, chain.BytesDown);
                Assert.Equal(chain.IsLast, chain.BytesUp == 0);
            }
        });

        var vectors = Enumerable.Range(0, rounds).Sum(round => Lengths(round).Length);
        Assert.Equal(before[^1] + (vectors * Chain.CreditBytes), meshes[size - 1].BytesSent); // The last rank sends credits alone.
        await meshes.OnAll(mesh => mesh.Gather(7, [1])); // The mesh goes on as before.
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    public async Task Whoever_wishes_an_end_all_ranks_end_with_the_same_round(int who)
    {
        using var meshes = await LocalMeshes.Connect(3);
        var ends = await meshes.OnAll(mesh =>
        {
            using var chain = mesh.CreateChain(_ => [100, 100], Longest, Longest);
            chain.Begin(0);
            for (var round = 0L; ; round++)
            {
                chain.WishesEnd |= mesh.Rank == who && round >= 5;
                for (var i = 0; i < 2; i++) { HandOn(chain, round, 100, mesh.Rank); }
                if (chain.EndRound(chain.WishesEnd))
                {
                    chain.Finish();
                    return round;
                }
            }
        });

        Assert.All(ends, end => Assert.Equal(ends[0], end));
        Assert.InRange(ends[0], 5, 5 + (2 * Chain.Depth)); // As far ahead as the lowest rank may be.
    }

    /// <summary>The last rank takes nothing: the first may be ahead by the vectors between the ranks, and no further.</summary>
    [Fact]
    public async Task A_rank_that_is_ahead_waits()
    {
        using var meshes = await LocalMeshes.Connect(2);
        var handedOn = 0;
        var first = Within.Start(() =>
        {
            using var chain = meshes[0].CreateChain(_ => [10, 10, 10, 10, 10, 10, 10, 10], 10, 10);
            chain.Begin(0);
            for (var i = 0; i < 8; i++)
            {
                HandOn(chain, 0, 10, rank: 0);
                Interlocked.Increment(ref handedOn);
            }

            chain.EndRound(isLast: true);
            chain.Finish();
        });
        Within.Until(() => Volatile.Read(ref handedOn) == Chain.Depth, "the first vectors");

        await Within.Start(() =>
        {
            using var chain = meshes[1].CreateChain(_ => [10, 10, 10, 10, 10, 10, 10, 10], 10, 10);
            chain.Begin(0);
            for (var i = 0; i < 8; i++)
            {
                Assert.InRange(Volatile.Read(ref handedOn), i - 1, i + Chain.Depth); // One that has come may not be counted yet.
                chain.Take();
                chain.Release();
            }

            Assert.True(chain.EndRound(isLast: false));
            chain.Finish();
        }).WaitAsync(Within.Limit);
        await first.WaitAsync(Within.Limit);
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    public async Task A_rank_that_is_lost_is_a_fault_of_all(int lost)
    {
        using var meshes = await LocalMeshes.Connect(3);
        var faults = await meshes.OnAll(mesh =>
        {
            try
            {
                using var chain = mesh.CreateChain(_ => [100], Longest, Longest);
                chain.Begin(0);
                for (var round = 0L; ; round++)
                {
                    if (mesh.Rank == lost && round == 6) { mesh.Abort("lost"); }
                    HandOn(chain, round, 100, mesh.Rank);
                    chain.EndRound(isLast: false);
                }
            }
            catch (MeshFaultException fault)
            {
                return fault.Fault;
            }
        });

        Assert.Equal(FaultKind.Aborted, faults[lost].Kind);
        Assert.All(faults.Where((_, rank) => rank != lost), fault => Assert.Equal(FaultKind.Closed, fault.Kind));
    }

    private static void Round(Chain chain, long round, int rank)
    {
        foreach (var length in Lengths(round)) { HandOn(chain, round, (int)length, rank); }
    }

    private static void HandOn(Chain chain, long round, int length, int rank)
    {
        var above = chain.IsLast ? null : chain.Next();
        var below = chain.IsFirst ? null : chain.Take();
        for (var i = 0; i < length; i++)
        {
            var value = round + (i / 8f);
            if (below is not null) { Assert.Equal(value + rank - 1, below.Span[i]); }
            if (above is not null) { above.Span[i] = value + rank; }
        }

        if (below is not null) { chain.Release(); }
        if (above is not null) { chain.HandOn(length); }
    }
}
