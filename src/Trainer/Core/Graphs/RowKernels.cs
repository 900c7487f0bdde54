using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cluster.Trainer.Core.Optimizers;

namespace Cluster.Trainer.Core.Graphs;

/// <summary>Rows of dense matrices: the same bits on every processor, see <see cref="Lanes"/>.</summary>
internal static unsafe class RowKernels
{
    /// <summary>y += a·x, each element rounded once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled<T>(T a, T* x, T* y, int length) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var factor = Vector512.Create(a);
        var i = 0;
        for (; i <= length - Vector512<T>.Count; i += Vector512<T>.Count) { Lanes.Fma(factor, Vector512.Load(x + i), Vector512.Load(y + i)).Store(y + i); }
        for (; i < length; i++) { y[i] = T.FusedMultiplyAdd(a, x[i], y[i]); }
    }

    /// <summary>Σ x·y: lane by lane, then the lanes from left to right, then the rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Dot<T>(T* x, T* y, int length) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var lanes = Vector512<T>.Zero;
        var i = 0;
        for (; i <= length - Vector512<T>.Count; i += Vector512<T>.Count) { lanes = Lanes.Fma(Vector512.Load(x + i), Vector512.Load(y + i), lanes); }
        var total = T.Zero;
        for (var lane = 0; lane < Vector512<T>.Count; lane++) { total += lanes[lane]; }
        for (; i < length; i++) { total = T.FusedMultiplyAdd(x[i], y[i], total); }
        return total;
    }
}
