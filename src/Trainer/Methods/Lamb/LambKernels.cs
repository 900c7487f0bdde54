using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cluster.Trainer.Core.Optimizers;

namespace Cluster.Trainer.Methods.Lamb;

/// <summary>The two loops of LAMB over a run of elements, 64 bytes at a time. Letters as in <see cref="Lamb{T}"/>.</summary>
internal static unsafe class LambKernels
{
    /// <summary>Pass 1: m and v are updated, u takes the place of g. Returns Σx² and Σu².</summary>
    public static (double XX, double UU) Measure<T>(T* x, T* g, T* m, T* v, int length, in LambConstants k, double decay)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var whole = length - length % Vector512<T>.Count;
        var (xx, uu) = MeasureWhole(x, g, m, v, whole, k, decay);
        if (whole == length) { return (xx, uu); }

        // The end of a run that fills no vector goes through the same loop, with zeros behind it: zeros give zeros.
        var rest = length - whole;
        T* end = stackalloc T[4 * Vector512<T>.Count];
        T* endG = end + Vector512<T>.Count, endM = endG + Vector512<T>.Count, endV = endM + Vector512<T>.Count;
        Copy(x + whole, end, rest);
        Copy(g + whole, endG, rest);
        Copy(m + whole, endM, rest);
        Copy(v + whole, endV, rest);
        var (endXX, endUU) = MeasureWhole(end, endG, endM, endV, Vector512<T>.Count, k, decay);
        Copy(endG, g + whole, rest);
        Copy(endM, m + whole, rest);
        Copy(endV, v + whole, rest);
        return (xx + endXX, uu + endUU);
    }

    /// <summary>Pass 2: x ← shrink·x - step·u.</summary>
    public static void Apply<T>(T* x, T* u, int length, double shrink, double step)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var whole = length - length % Vector512<T>.Count;
        ApplyWhole(x, u, whole, shrink, step);
        if (whole == length) { return; }

        T* end = stackalloc T[2 * Vector512<T>.Count];
        Copy(x + whole, end, length - whole);
        Copy(u + whole, end + Vector512<T>.Count, length - whole);
        ApplyWhole(end, end + Vector512<T>.Count, Vector512<T>.Count, shrink, step);
        Copy(end, x + whole, length - whole);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (double XX, double UU) MeasureWhole<T>(T* x, T* g, T* m, T* v, int length, in LambConstants k, double decay)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var scale = Lanes.Create<T>(k.Scale);
        var (beta1, gain1) = (Lanes.Create<T>(k.Beta1), Lanes.Create<T>(1 - k.Beta1));
        var (beta2, gain2) = (Lanes.Create<T>(k.Beta2), Lanes.Create<T>(1 - k.Beta2));
        var (c, epsilonIn, epsilonOut) = (Lanes.Create<T>(k.Adam.Factor), Lanes.Create<T>(k.Adam.EpsilonInRoot), Lanes.Create<T>(k.Adam.EpsilonOutside));
        var (lambda, l2) = (Lanes.Create<T>(k.DecayInUpdate(decay)), Lanes.Create<T>(k.DecayInGradient(decay)));
        var (xx, uu) = (Vector512<double>.Zero, Vector512<double>.Zero);

        for (var i = 0; i < length; i += Vector512<T>.Count)
        {
            var x_t = Vector512.Load(x + i);
            var g_t = Lanes.Fma(l2, x_t, scale * Vector512.Load(g + i));
            var m_t = Lanes.Fma(beta1, Vector512.Load(m + i), gain1 * g_t);
            var v_t = Lanes.Fma(beta2, Vector512.Load(v + i), gain2 * (g_t * g_t));
            var r_t = c * m_t / (Vector512.Sqrt(v_t + epsilonIn) + epsilonOut);
            var u = Lanes.Fma(lambda, x_t, r_t);

            m_t.Store(m + i);
            v_t.Store(v + i);
            u.Store(g + i);
            xx = Lanes.AddSquares(xx, x_t);
            uu = Lanes.AddSquares(uu, u);
        }

        return (Lanes.Total(xx), Lanes.Total(uu));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ApplyWhole<T>(T* x, T* u, int length, double shrink, double step)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (keep, take) = (Lanes.Create<T>(shrink), Lanes.Create<T>(-step));
        for (var i = length - Vector512<T>.Count; i >= 0; i -= Vector512<T>.Count) // Backwards; see TwoPassStep.
        {
            Lanes.Fma(take, Vector512.Load(u + i), keep * Vector512.Load(x + i)).Store(x + i);
        }
    }

    private static void Copy<T>(T* from, T* to, int count) where T : unmanaged => new ReadOnlySpan<T>(from, count).CopyTo(new Span<T>(to, count));
}
