using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>
/// ⟨a, b⟩ of two flat vectors, in float64, a block at a time in block order: the same bits for any number of threads. One NaN
/// anywhere makes it NaN. Padding between tensors is zero and so does not count.
/// </summary>
internal static unsafe class InnerProduct
{
    /// <param name="a">[n] float32 or float64, contiguous.</param>
    /// <param name="b">The same length, type and device.</param>
    public static double Of(Tensor a, Tensor b, int threads = 1)
    {
        if (a.NumberOfElements != b.NumberOfElements || a.dtype != b.dtype)
        {
            throw new ArgumentException($"{a.NumberOfElements} elements of {a.dtype} and {b.NumberOfElements} of {b.dtype}", nameof(b));
        }

        if (a.device_type == DeviceType.CPU)
        {
            return a.dtype switch
            {
                ScalarType.Float32 => Of(Pointer<float>(a), Pointer<float>(b), a.NumberOfElements, threads),
                ScalarType.Float64 => Of(Pointer<double>(a), Pointer<double>(b), a.NumberOfElements, threads),
                _ => throw new ArgumentException($"{a.dtype} is no element type of a flat vector", nameof(a)),
            };
        }

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        return a.to(ScalarType.Float64).mul(b).sum().item<double>();
    }

    public static double Of<T>(T* a, T* b, long length, int threads = 1) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var blocks = checked((int)((length + Blocks.Length - 1) / Blocks.Length));
        var sums = ArrayPool<double>.Shared.Rent(blocks);
        Blocks.ForEach(blocks, threads, block =>
        {
            var offset = (long)block * Blocks.Length;
            sums[block] = OfBlock(a + offset, b + offset, (int)Math.Min(Blocks.Length, length - offset));
        });
        var total = 0.0;
        foreach (var sum in sums.AsSpan(0, blocks)) { total += sum; }
        ArrayPool<double>.Shared.Return(sums);
        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double OfBlock<T>(T* a, T* b, int length) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (even, odd) = (Vector512<double>.Zero, Vector512<double>.Zero); // Two chains, so that additions overlap.
        var i = 0;
        for (; i + 2 * Vector512<T>.Count <= length; i += 2 * Vector512<T>.Count)
        {
            even = Lanes.AddProducts(even, Vector512.Load(a + i), Vector512.Load(b + i));
            odd = Lanes.AddProducts(odd, Vector512.Load(a + i + Vector512<T>.Count), Vector512.Load(b + i + Vector512<T>.Count));
        }

        var rest = 0.0;
        for (; i < length; i++) { rest += double.CreateTruncating(a[i]) * double.CreateTruncating(b[i]); }

        return Lanes.Total(even + odd) + rest;
    }

    private static T* Pointer<T>(Tensor vector) where T : unmanaged
    {
        using var storage = vector.storage<T>();
        return (T*)storage.data_ptr() + vector.storage_offset();
    }
}
