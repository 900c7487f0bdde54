using System.Collections.Immutable;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>A run of elements inside one block of the flat buffer.</summary>
internal readonly record struct Piece(long Offset, int Length);

/// <summary>
/// The fixed grid over every flat buffer: block k holds elements k·4096 to (k+1)·4096 - 1. Sums are taken per block and added in
/// block order, so they depend neither on the number of threads nor on how a buffer is shared out among machines.
/// </summary>
internal static class Blocks
{
    /// <summary>In elements: 16 KB of float32.</summary>
    public const int Length = 4096;

    /// <summary>Blocks that a thread claims at once: long enough runs for the processor's prefetchers.</summary>
    private const int Grain = 8;

    /// <summary>Cuts a run at the grid.</summary>
    public static ImmutableArray<Piece> Cut(long offset, long length)
    {
        var pieces = ImmutableArray.CreateBuilder<Piece>();
        for (var (at, end) = (offset, offset + length); at < end;)
        {
            var next = Math.Min(end, (at / Length + 1) * Length);
            pieces.Add(new Piece(at, (int)(next - at)));
            at = next;
        }

        return pieces.ToImmutable();
    }

    /// <summary>
    /// Calls <paramref name="work"/> with 0 to <paramref name="count"/> - 1. Which of several threads gets which index is not
    /// fixed, so each call must write to places of its own.
    /// </summary>
    public static void ForEach(int count, int threads, Action<int> work, int grain = Grain)
    {
        if (threads <= 1 || count <= grain)
        {
            for (var i = 0; i < count; i++) { work(i); }
            return;
        }

        var claimed = 0;
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, _ =>
        {
            int start;
            while ((start = Interlocked.Add(ref claimed, grain) - grain) < count)
            {
                for (var i = start; i < Math.Min(count, start + grain); i++) { work(i); }
            }
        });
    }
}
