using Cluster.Trainer.Core.Collectives;

namespace Cluster.Tests.Collectives;

public class SlicesTests
{
    [Theory]
    [InlineData(0, 3, 64), InlineData(1, 3, 64), InlineData(15, 2, 64), InlineData(1000, 7, 64), InlineData(1000, 1, 64), InlineData(12_345, 5, 100)]
    public void Chunks_cover_every_element_once_in_order(long length, int ranks, int chunkLength)
    {
        var slices = new Slices(length, ranks, chunkLength);
        var next = 0L;
        for (var rank = 0; rank < ranks; rank++)
        {
            Assert.Equal(next, slices[rank].Offset);
            Assert.True(next % 16 == 0 || next == length);
            for (var chunk = 0; chunk < slices.ChunkCount(rank); chunk++)
            {
                var (offset, count) = slices.Chunk(rank, chunk);
                Assert.Equal(next, offset);
                Assert.InRange(count, 1, chunkLength);
                next += count;
            }

            Assert.Equal((0, 0), slices.Chunk(rank, -1));
            Assert.Equal((0, 0), slices.Chunk(rank, slices.ChunkCount(rank)));
        }

        Assert.Equal(length, next);
    }

    [Fact]
    public void A_vector_of_many_gigabytes_does_not_overflow()
    {
        var slices = new Slices(1L << 40, 7, PipelinedAllReduce.ChunkLength);
        var (offset, length) = slices[6];
        Assert.Equal(1L << 40, offset + length);
        Assert.InRange(length, (1L << 40) / 7 - 16, (1L << 40) / 7 + 16);
    }
}
