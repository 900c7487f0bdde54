using System.Runtime.Intrinsics;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>The one addition of the canonical reduction, in single precision.</summary>
internal static unsafe class FloatSum
{
    /// <summary>sum += right in one part, on whatever device they lie; both have the same length.</summary>
    public static void Add(FlatBuffer sum, FlatBuffer right, FlatRange part)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(right.Length, sum.Length);
        ArgumentOutOfRangeException.ThrowIfNegative(part.Offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(part.Offset + part.Length, sum.Length);
        if (sum.IsOnCpu && right.IsOnCpu) { Add(sum.Pointer + part.Offset, right.Pointer + part.Offset, sum.Pointer + part.Offset, part.Length); }
        else { sum.Add(right, part); }
    }

    /// <summary>
    /// sum[i] = left[i] + right[i] for i below <paramref name="count"/>. Element by element, so the width of the registers
    /// does not show in the result. <paramref name="sum"/> may be either operand, but not overlap one otherwise.
    /// </summary>
    public static void Add(float* left, float* right, float* sum, long count)
    {
        var width = Vector512<float>.Count;
        long i = 0;
        for (; i <= count - 2 * width; i += 2 * width)
        {
            var first = Vector512.Load(left + i) + Vector512.Load(right + i);
            var second = Vector512.Load(left + i + width) + Vector512.Load(right + i + width);
            first.Store(sum + i);
            second.Store(sum + i + width);
        }

        for (; i < count; i++) { sum[i] = left[i] + right[i]; }
    }
}
