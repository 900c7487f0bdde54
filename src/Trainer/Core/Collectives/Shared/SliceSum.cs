using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Cluster.Trainer.Core.Collectives.Shared;

/// <summary>
/// Adds up this rank's slice of the elements straight from the memory of all ranks, and writes it into the results of all: each
/// element of an operand is read once, each of a result written once, and by one rank alone.
/// </summary>
internal sealed unsafe class SliceSum : IDisposable
{
    /// <summary>64 KiB: a few operands and the sum of a block fit the cache of a core.</summary>
    private const int BlockLength = (64 << 10) / sizeof(float);

    private readonly ChunkFold _fold = new(BlockLength);
    private readonly float* _block = (float*)NativeMemory.AlignedAlloc(BlockLength * sizeof(float), 64);

    /// <param name="operands">All ranks' nodes and where their vectors lie (float*), in order of position.</param>
    /// <param name="results">Where all ranks' results lie (float*, 64-byte aligned).</param>
    /// <param name="offset">First element of the slice, a multiple of 16.</param>
    /// <param name="progress">Grows with every block.</param>
    public void Run(ReadOnlySpan<(Node Node, nint Vector)> operands, int leafCount, ReadOnlySpan<nint> results, long offset, long length, uint* progress)
    {
        for (var end = offset + length; offset < end; offset += BlockLength)
        {
            var count = (int)Math.Min(BlockLength, end - offset);
            _fold.Begin(leafCount, _block, count);
            foreach (var (node, vector) in operands) { _fold.Push(node, (float*)vector + offset); }
            _fold.End();
            foreach (var result in results) { Stream(_block, (float*)result + offset, count); }
            Volatile.Write(ref *progress, *progress + 1);
        }
    }

    /// <summary>
    /// Copies past the caches: an ordinary store would first read the old numbers into one, and leave the new ones in the cache
    /// of a core that does not need them. Measured with two ranks: a quarter less time.
    /// </summary>
    private static void Stream(float* from, float* to, int count)
    {
        var i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count) { Vector512.Load(from + i).StoreAlignedNonTemporal(to + i); }
        for (; i < count; i++) { to[i] = from[i]; }
    }

    public void Dispose()
    {
        _fold.Dispose();
        NativeMemory.AlignedFree(_block);
    }
}
