using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>
/// 64-byte vectors for kernels that are written once for float and double and give the same bits on every processor.
/// </summary>
/// <remarks>
/// Only operations that IEEE 754 rounds correctly are used (+, *, /, root, fused multiply-add), so a machine without 512-bit
/// registers, where .NET works on halves or quarters, computes the same elements. Sums keep one float64 accumulator a lane
/// and add the lanes in a fixed order, so they do not see the register width either.
/// </remarks>
internal static class Lanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Create<T>(double value) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Vector512.Create(T.CreateTruncating(value));

    /// <summary>a·b + c, rounded once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Fma<T>(Vector512<T> a, Vector512<T> b, Vector512<T> c) => typeof(T) == typeof(float)
        ? Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
        : Vector512.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    /// <summary>sum + z², in float64: lane i takes the elements i and i + 8 of a float vector, or element i of a double one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> AddSquares<T>(Vector512<double> sum, Vector512<T> z)
    {
        if (typeof(T) == typeof(double)) { return Vector512.FusedMultiplyAdd(z.AsDouble(), z.AsDouble(), sum); }
        var low = Vector512.WidenLower(z.AsSingle());
        var high = Vector512.WidenUpper(z.AsSingle());
        return Vector512.FusedMultiplyAdd(high, high, Vector512.FusedMultiplyAdd(low, low, sum));
    }

    /// <summary>sum + a·b, in float64, lane by lane as in <see cref="AddSquares"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> AddProducts<T>(Vector512<double> sum, Vector512<T> a, Vector512<T> b)
    {
        if (typeof(T) == typeof(double)) { return Vector512.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), sum); }
        sum = Vector512.FusedMultiplyAdd(Vector512.WidenLower(a.AsSingle()), Vector512.WidenLower(b.AsSingle()), sum);
        return Vector512.FusedMultiplyAdd(Vector512.WidenUpper(a.AsSingle()), Vector512.WidenUpper(b.AsSingle()), sum);
    }

    /// <summary>The lanes added from left to right: one order on all processors.</summary>
    public static double Total(Vector512<double> sum)
    {
        var total = 0.0;
        for (var lane = 0; lane < Vector512<double>.Count; lane++) { total += sum[lane]; }
        return total;
    }
}
