using Cluster.Trainer.Core.Collectives;

namespace Cluster.Tests.Collectives;

public class GatherBroadcastOverSocketsTests() : GatherBroadcastTests(sharesMemory: false);

public class GatherBroadcastWithSharedMemoryTests() : GatherBroadcastTests(sharesMemory: true);

public abstract class GatherBroadcastTests(bool sharesMemory)
{
    private static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(7)]
    public async Task Gather_brings_all_byte_strings_in_order_of_rank(int ranks)
    {
        int[] lengths = [0, 1, 47, 1000, Mesh.MaxGatherBytes - 1, Mesh.MaxGatherBytes];
        using var meshes = await LocalMeshes.Connect(ranks, _ => sharesMemory);
        for (var round = 0; round < lengths.Length; round++)
        {
            byte[] Of(int rank) => Bytes(lengths[(rank + round) % lengths.Length], rank * 100 + round);
            foreach (var all in await meshes.OnAll(mesh => mesh.Gather(round, Of(mesh.Rank))))
            {
                Assert.Equal(ranks, all.Length);
                for (var rank = 0; rank < ranks; rank++) { Assert.True(Of(rank).AsSpan().SequenceEqual(all[rank]), $"rank {rank} in round {round}"); }
            }
        }
    }

    [Theory]
    [InlineData(0), InlineData(Mesh.MaxGatherBytes)]
    public async Task Gather_of_the_same_length_everywhere_again_and_again(int length)
    {
        using var meshes = await LocalMeshes.Connect(4, _ => sharesMemory);
        var mine = Bytes(length, 1);
        await meshes.OnAll(mesh =>
        {
            for (var round = 0; round < 50; round++) { Assert.All(mesh.Gather(round, mine), bytes => Assert.True(mine.AsSpan().SequenceEqual(bytes))); }
        });
    }

    [Fact]
    public async Task A_byte_string_that_is_too_long_is_refused_and_leaves_the_mesh_whole()
    {
        using var meshes = await LocalMeshes.Connect(2, _ => sharesMemory);
        await meshes.OnAll(mesh =>
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => mesh.Gather(1, new byte[Mesh.MaxGatherBytes + 1]));
            Assert.Equal(2, mesh.Gather(1, []).Length);
        });
    }

    [Theory]
    [InlineData(1, 0, 100), InlineData(2, 1, 0), InlineData(2, 0, 1), InlineData(3, 1, 17), InlineData(5, 4, 16_384), InlineData(3, 0, 3 * PipelinedAllReduce.ChunkLength + 1)]
    public async Task Broadcast_copies_the_source_to_all(int ranks, int source, int length)
    {
        using var meshes = await LocalMeshes.Connect(ranks, _ => sharesMemory);
        var expected = Reference.Floats(length, 1);
        var results = await meshes.OnAll(mesh =>
        {
            using var buffer = Reference.Buffer(mesh.Rank == source ? expected : Reference.Floats(length, 2 + mesh.Rank));
            mesh.Broadcast(1, source, buffer);
            return Reference.Copy(buffer);
        });
        Assert.All(results, result => Reference.SameBits(expected, result));
    }

    [Fact]
    public async Task Broadcast_to_some_leaves_the_others_alone()
    {
        const int length = 2 * PipelinedAllReduce.ChunkLength + 3;
        int[] receivers = [0, 4];
        using var meshes = await LocalMeshes.Connect(5, _ => sharesMemory);
        var results = await meshes.OnAll(mesh =>
        {
            using var buffer = Reference.Buffer(Reference.Floats(length, mesh.Rank));
            mesh.Broadcast(7, 2, receivers, buffer);
            mesh.Gather(8, []); // Everybody is in step still.
            return Reference.Copy(buffer);
        });
        for (var rank = 0; rank < 5; rank++) { Reference.SameBits(Reference.Floats(length, receivers.Contains(rank) ? 2 : rank), results[rank]); }
    }

    [Fact]
    public async Task The_source_is_no_receiver()
    {
        using var meshes = await LocalMeshes.Connect(2, _ => sharesMemory);
        using var buffer = Reference.Buffer([1]);
        Assert.Throws<ArgumentException>(() => meshes[0].Broadcast(1, 0, [0, 1], buffer));
    }
}
