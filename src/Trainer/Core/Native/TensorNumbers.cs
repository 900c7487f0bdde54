using Cluster.Trainer.Core.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Native;

/// <summary>Arithmetic of tensors with plain numbers, and the numbers that come out of it.</summary>
/// <remarks>
/// Wherever libtorch takes a number (in x * 2, x &gt; 0, and as the hidden factor 1 of x + y), TorchSharp makes an object for it whose
/// finaliser frees the native number, and hands on its address without holding the object. Optimised code drops the object there, so a
/// garbage collection at that moment frees the number while libtorch reads it: seen as "INTERNAL ASSERT FAILED" in Scalar.h, and no less
/// possible as another number in its place. A number from here is held until its thread has asked for some dozens more, long after the
/// operation that it went into; BannedSymbols.Torch.txt refuses the conversions and operators that make one by themselves.
/// </remarks>
internal static class TensorNumbers
{
    private const int Capacity = 64; // No operation takes more than a few.

    [ThreadStatic] private static Scalar?[]? t_held;
    [ThreadStatic] private static int t_next;

    /// <summary>The number 1, never collected.</summary>
    public static Scalar One { get; } = 1.ToScalar();

    /// <summary>A number as an argument of the next operation of this thread.</summary>
    public static Scalar Number(double a) => Hold(a.ToScalar());

    /// <summary>An integer as an argument of the next operation of this thread.</summary>
    public static Scalar Number(long a) => Hold(a.ToScalar());

    private static Scalar Hold(Scalar number)
    {
        var held = t_held ??= new Scalar?[Capacity];
        ref var slot = ref held[t_next++ & (Capacity - 1)];
        slot?.Dispose();
        return slot = number;
    }

    extension(Tensor x)
    {
        /// <summary>x + y.</summary>
        public Tensor Plus(Tensor y) => x.add(y, One);

        /// <summary>x + a.</summary>
        public Tensor Plus(double a) => x.add(Number(a), One);

        /// <summary>a · x.</summary>
        public Tensor Times(double a) => x.mul(Number(a));

        /// <summary>x / a.</summary>
        public Tensor Over(double a) => x.div(Number(a));

        /// <summary>x².</summary>
        public Tensor Squared() => x.mul(x);

        /// <summary>1 where x > a and 0 elsewhere, in the type of x.</summary>
        public Tensor Above(double a)
        {
            using var isAbove = x.gt(Number(a));
            return isAbove.to(x.dtype);
        }

        /// <summary>1 where x &lt; a and 0 elsewhere, in the type of x.</summary>
        public Tensor Below(double a)
        {
            using var isBelow = x.lt(Number(a));
            return isBelow.to(x.dtype);
        }

        /// <summary>x where it is at least a, and a elsewhere.</summary>
        public Tensor AtLeast(double a) => x.clamp_min(Number(a));

        /// <summary>x += y.</summary>
        public void Add(Tensor y) => x.add_(y, One);

        /// <summary>x += a · y.</summary>
        public void Add(Tensor y, double a) => x.add_(y, Number(a));

        /// <summary>x *= a.</summary>
        public void Scale(double a) => x.mul_(Number(a));

        /// <summary>Σ x in float64.</summary>
        public double Total()
        {
            using var sum = x.sum(type: ScalarType.Float64);
            using var onHost = sum.cpu();
            return TensorMemory.Elements<double>(onHost)[0];
        }
    }

    /// <summary>A tensor with one value everywhere.</summary>
    public static Tensor Filled(double a, ReadOnlySpan<long> shape, ScalarType type, Device? device = null) =>
        full(shape, Number(a), dtype: type, device: device);
}
