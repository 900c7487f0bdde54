using Cluster.Trainer.Core.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Native;

/// <summary>Arithmetic of tensors with plain numbers, and the numbers that come out of it.</summary>
/// <remarks>
/// Wherever libtorch takes a number (in x * 2, x &gt; 0, and as the hidden factor 1 of x + y), TorchSharp makes an object for it whose
/// finaliser frees the native number, and hands on its address without holding the object. Optimised code drops the object there, so a
/// garbage collection at that moment frees the number while libtorch reads it: seen as "INTERNAL ASSERT FAILED" in Scalar.h, and no less
/// possible as another number in its place. Here the object is disposed after the operation, and so lives until then; code that
/// computes weights uses these and not the operators.
/// </remarks>
internal static class TensorNumbers
{
    private static readonly Scalar s_one = 1.ToScalar(); // Never collected.

    extension(Tensor x)
    {
        /// <summary>x + y.</summary>
        public Tensor Plus(Tensor y) => x.add(y, s_one);

        /// <summary>x + a.</summary>
        public Tensor Plus(double a)
        {
            using var number = a.ToScalar();
            return x.add(number, s_one);
        }

        /// <summary>a · x.</summary>
        public Tensor Times(double a)
        {
            using var number = a.ToScalar();
            return x.mul(number);
        }

        /// <summary>x / a.</summary>
        public Tensor Over(double a)
        {
            using var number = a.ToScalar();
            return x.div(number);
        }

        /// <summary>x².</summary>
        public Tensor Squared() => x.mul(x);

        /// <summary>1 where x > a and 0 elsewhere, in the type of x.</summary>
        public Tensor Above(double a)
        {
            using var number = a.ToScalar();
            using var isAbove = x.gt(number);
            return isAbove.to(x.dtype);
        }

        /// <summary>1 where x &lt; a and 0 elsewhere, in the type of x.</summary>
        public Tensor Below(double a)
        {
            using var number = a.ToScalar();
            using var isBelow = x.lt(number);
            return isBelow.to(x.dtype);
        }

        /// <summary>x where it is at least a, and a elsewhere.</summary>
        public Tensor AtLeast(double a)
        {
            using var number = a.ToScalar();
            return x.clamp_min(number);
        }

        /// <summary>x += y.</summary>
        public void Add(Tensor y) => x.add_(y, s_one);

        /// <summary>x += a · y.</summary>
        public void Add(Tensor y, double a)
        {
            using var number = a.ToScalar();
            x.add_(y, number);
        }

        /// <summary>x *= a.</summary>
        public void Scale(double a)
        {
            using var number = a.ToScalar();
            x.mul_(number);
        }

        /// <summary>Σ x in float64.</summary>
        public double Total()
        {
            using var sum = x.sum(type: ScalarType.Float64);
            using var onHost = sum.cpu();
            return TensorMemory.Elements<double>(onHost)[0];
        }
    }

    /// <summary>A tensor with one value everywhere.</summary>
    public static Tensor Filled(double a, ReadOnlySpan<long> shape, ScalarType type, Device? device = null)
    {
        using var number = a.ToScalar();
        return full(shape, number, dtype: type, device: device);
    }
}
