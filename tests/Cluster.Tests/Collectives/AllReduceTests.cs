using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;

namespace Cluster.Tests.Collectives;

public class AllReduceOverSocketsTests() : AllReduceTests(sharesMemory: false)
{
    [Fact]
    public async Task Every_rank_moves_little_more_than_the_least_bytes()
    {
        const int length = 4 * 2 * Chunk;
        using var meshes = await Connect(4);
        await Reduces(meshes, 1, 4, length);
        const long least = 2L * 3 * length / 4 * sizeof(float);
        for (var rank = 0; rank < 4; rank++)
        {
            Assert.InRange(meshes[rank].BytesSent, least, least + least / 1000);
            Assert.InRange(meshes[rank].BytesReceived, least, least + least / 1000);
        }
    }
}

public class AllReduceThroughSharedMemoryTests() : AllReduceTests(sharesMemory: true)
{
    [Fact]
    public async Task Nothing_large_goes_over_the_connections()
    {
        using var meshes = await Connect(3);
        await Reduces(meshes, 1, 4, 3 * Chunk);
        await Reduces(meshes, 2, 4, 100);
        Assert.InRange(meshes[0].BytesSent, 1, 1000); // The meeting.
    }

    [Fact]
    public async Task One_rank_that_shares_nothing_makes_all_use_their_connections()
    {
        using var meshes = await LocalMeshes.Connect(3, rank => rank != 1);
        Assert.All(await meshes.OnAll(mesh => mesh.IsShared), Assert.False);
        await Reduces(meshes, 1, 5, 100);
        await Reduces(meshes, 2, 5, 3 * Chunk);
    }

    [Fact]
    public async Task The_buffers_of_a_job_serve_generation_after_generation()
    {
        const int length = 2 * Chunk;
        var leaves = Reference.Leaves(3, length, 1);
        var expected = Reference.Sum(leaves.AsSpan());
        var vectors = leaves.Select(leaf =>
        {
            var vector = FlatBuffer.ForPeers(length);
            leaf.CopyTo(vector.Span);
            return vector;
        }).ToArray();

        using var meshes = await Connect(3);
        for (var generation = 2; generation < 5; generation++)
        {
            var results = await meshes.OnAll(mesh =>
            {
                using var sum = mesh.CreateSum(length);
                mesh.AllReduce(1, [new NodeSum(new Node(mesh.Rank, 1), vectors[mesh.Rank], default(Tally))], new LeafRanges(3, 3), sum);
                return Reference.Copy(sum);
            });
            Assert.All(results, result => Reference.SameBits(expected, result));
            await meshes.Reconnect(generation);
        }

        foreach (var vector in vectors) { vector.Dispose(); }
    }
}

/// <summary>Bit for bit the canonical sum, on every rank, whatever the number of ranks and however they are connected.</summary>
public abstract class AllReduceTests(bool sharesMemory)
{
    private protected const int Chunk = PipelinedAllReduce.ChunkLength;

    private protected async Task<LocalMeshes> Connect(int size)
    {
        var meshes = await LocalMeshes.Connect(size, _ => sharesMemory);
        Assert.All(await meshes.OnAll(mesh => mesh.IsShared), isShared => Assert.Equal(sharesMemory && size > 1, isShared));
        return meshes;
    }

    private protected static async Task Reduces(LocalMeshes meshes, long round, int leafCount, int length)
    {
        var leaves = Reference.Leaves(leafCount, length, leafCount + length % 97);
        var expected = Reference.Sum(leaves.AsSpan());
        foreach (var result in await meshes.OnAll(mesh => LocalMeshes.AllReduce(mesh, round, leaves, length)))
        {
            Reference.SameBits(expected, result);
        }
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(7)]
    public async Task Small_vectors_round_after_round(int ranks)
    {
        using var meshes = await Connect(ranks);
        var round = 0L;
        foreach (var leafCount in new[] { 1, 2, 3, 5, 6, 8, 13, 32, 61 })
        {
            foreach (var length in new[] { 0, 1, 15, 16, 17, 1000 }) { await Reduces(meshes, round++, leafCount, length); }
        }
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(7)]
    public async Task Around_the_step_from_the_small_way_to_the_large_one(int ranks)
    {
        using var meshes = await Connect(ranks);
        var round = 0L;
        foreach (var length in new[] { 16_383, 16_384, 16_385 })
        {
            foreach (var leafCount in new[] { 1, ranks, 11 }) { await Reduces(meshes, round++, leafCount, length); }
        }
    }

    [Theory]
    [InlineData(1, 3), InlineData(2, 2), InlineData(2, 5), InlineData(3, 4), InlineData(5, 3)]
    public async Task Around_one_chunk(int ranks, int leafCount)
    {
        using var meshes = await Connect(ranks);
        var round = 0L;
        foreach (var extra in new[] { -1, 0, 1 })
        {
            await Reduces(meshes, round++, leafCount, Chunk + extra); // A chunk of the whole,
            await Reduces(meshes, round++, leafCount, ranks * Chunk + extra); // and of a rank's slice.
        }
    }

    [Theory]
    [InlineData(1, 2, 3), InlineData(2, 3, 8), InlineData(3, 5, 11), InlineData(4, 2, 9)]
    public async Task A_few_chunks(int ranks, int leafCount, int chunks)
    {
        using var meshes = await Connect(ranks);
        await Reduces(meshes, 1, leafCount, chunks * Chunk + 5);
        await Reduces(meshes, 2, leafCount, 100); // The small way after the large one, on the same connections,
        await Reduces(meshes, 3, leafCount, chunks * Chunk - 5); // and back.
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3)]
    public async Task Any_ranks_leaves_and_lengths(int seed)
    {
        var random = new Random(seed);
        for (var ranks = 2; ranks < 6; ranks++)
        {
            using var meshes = await Connect(ranks);
            for (var round = 0; round < 6; round++) { await Reduces(meshes, round, random.Next(1, 20), random.Next(1, 1 << random.Next(1, 20))); }
        }
    }

    [Fact]
    public async Task Ranks_without_leaves_get_the_sum_too()
    {
        using var meshes = await Connect(5);
        await Reduces(meshes, 1, 2, 40);
        await Reduces(meshes, 2, 2, 3 * Chunk);
        await Reduces(meshes, 3, 1, 40);
        await Reduces(meshes, 4, 1, 3 * Chunk);
    }

    [Fact]
    public async Task Without_any_leaves_the_result_is_zeros()
    {
        using var meshes = await Connect(2);
        foreach (var result in await meshes.OnAll(mesh => LocalMeshes.AllReduce(mesh, 1, [], 20))) { Assert.Equal(new float[20], result); }
    }

    [Fact]
    public async Task Wrong_arguments_are_refused_and_leave_the_mesh_whole()
    {
        using var meshes = await Connect(1);
        var mesh = meshes[0];
        using FlatBuffer vector = new(8), result = new(8), shorter = new(7);
        var node = new NodeSum(new Node(0, 2), vector, default(Tally));
        var ranges = new LeafRanges(2, 1);
        Assert.Throws<ArgumentException>(() => mesh.AllReduce(1, [], ranges, result));
        Assert.Throws<ArgumentException>(() => mesh.AllReduce(1, [node with { Node = new Node(0, 1) }], ranges, result));
        Assert.Throws<ArgumentException>(() => mesh.AllReduce(1, [node], ranges, shorter));
        Assert.Throws<ArgumentException>(() => mesh.AllReduce(1, [node], ranges, vector));
        Assert.Throws<ArgumentOutOfRangeException>(() => mesh.AllReduce(1, [node], new LeafRanges(2, 2), result));
        mesh.AllReduce(1, [node], ranges, result);
    }
}
