using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cluster.Trainer.Core.State;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>
/// The norm of a flat vector over all tensors together: for clipping, for the reported gradient norm, and to find numbers that
/// are not finite (one NaN or infinity anywhere makes it NaN or infinite).
/// </summary>
internal static unsafe class FlatNorm
{
    /// <summary>
    /// Σ z² over the first <paramref name="length"/> elements, in float64, a block at a time in block order: the same bits
    /// for any number of threads. Padding between tensors is zero and so does not count.
    /// </summary>
    public static double SumOfSquares(FlatBuffer buffer, long length, int threads = 1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, buffer.Length);
        if (buffer.IsOnCpu) { return SumOfSquares(buffer.Pointer, length, threads); }

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var z = buffer.Tensor.narrow(0, 0, length).to(ScalarType.Float64);
        return z.mul_(z).sum().item<double>();
    }

    /// <summary>The same over one part.</summary>
    public static double SumOfSquares(FlatBuffer buffer, in Part part)
    {
        if (buffer.IsOnCpu) { return SumOfSquares(buffer.Pointer + part.Offset, part.Length); }

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        return buffer.Tensor.narrow(0, part.Offset, part.Length).to(ScalarType.Float64).square().sum().item<double>();
    }

    public static double SumOfSquares<T>(T* z, long length, int threads = 1) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var blocks = checked((int)((length + Blocks.Length - 1) / Blocks.Length));
        var sums = ArrayPool<double>.Shared.Rent(blocks);
        Blocks.ForEach(blocks, threads, block =>
        {
            var offset = (long)block * Blocks.Length;
            sums[block] = OfBlock(z + offset, (int)Math.Min(Blocks.Length, length - offset));
        });
        var total = 0.0;
        foreach (var sum in sums.AsSpan(0, blocks)) { total += sum; }
        ArrayPool<double>.Shared.Return(sums);
        return total;
    }

    /// <summary>What a gradient is multiplied by so that its norm is at most <paramref name="limit"/>: 1 / max(1, norm/limit).</summary>
    public static double ClipFactor(double norm, double limit) => 1 / Math.Max(1, norm / limit);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double OfBlock<T>(T* z, int length) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (even, odd) = (Vector512<double>.Zero, Vector512<double>.Zero); // Two chains, so that additions overlap.
        var i = 0;
        for (; i + 2 * Vector512<T>.Count <= length; i += 2 * Vector512<T>.Count)
        {
            even = Lanes.AddSquares(even, Vector512.Load(z + i));
            odd = Lanes.AddSquares(odd, Vector512.Load(z + i + Vector512<T>.Count));
        }

        var rest = 0.0;
        for (; i < length; i++)
        {
            var value = double.CreateTruncating(z[i]);
            rest += value * value;
        }

        return Lanes.Total(even + odd) + rest;
    }
}
