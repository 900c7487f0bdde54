using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// Cuts a vector into one contiguous slice a rank, and every slice into chunks. Slices begin on 64-byte boundaries and differ
/// by at most <see cref="Layout.Alignment"/> elements, so their chunk counts differ by at most one.
/// </summary>
/// <param name="Length">Elements of the vector.</param>
/// <param name="ChunkLength">Elements of a chunk; a slice's last one may be shorter.</param>
internal readonly record struct Slices(long Length, int Ranks, int ChunkLength)
{
    /// <summary>Offset and length of a rank's slice, in elements.</summary>
    public (long Offset, long Length) this[int rank]
    {
        get
        {
            var begin = Boundary(rank);
            return (begin, Boundary(rank + 1) - begin);
        }
    }

    public int ChunkCount(int rank) => checked((int)((this[rank].Length + ChunkLength - 1) / ChunkLength));

    /// <summary>One chunk of a rank's slice; a count of 0 before the first and after the last.</summary>
    public (long Offset, int Count) Chunk(int rank, int index)
    {
        var (offset, length) = this[rank];
        var begin = (long)index * ChunkLength;
        return index < 0 || begin >= length ? (0, 0) : (offset + begin, (int)Math.Min(ChunkLength, length - begin));
    }

    private long Boundary(int rank)
    {
        var blocks = (Length + Layout.Alignment - 1) / Layout.Alignment;
        return Math.Min(Length, (long)((Int128)blocks * rank / Ranks) * Layout.Alignment);
    }
}
