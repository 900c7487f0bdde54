using System.Numerics;

namespace Cluster.Trainer.Core.Data;

/// <summary>How a pixel byte becomes a network input: <c>value = pixel * Factor + Shift</c>, both steps rounded to float32.</summary>
internal readonly record struct PixelScale(float Factor, float Shift)
{
    /// <summary>0 .. <paramref name="max"/> to 0 .. 1.</summary>
    public static PixelScale ToUnit(int max) => new((float)(1.0 / max), 0);

    /// <summary>0 .. 255 to 0 .. 1, then to mean 0 and deviation 1 over the training images.</summary>
    /// <param name="mean">Of the training pixels of this channel, in units of 255.</param>
    /// <param name="deviation">Standard deviation of the same.</param>
    public static PixelScale Standardise(double mean, double deviation) =>
        new((float)(1 / (255 * deviation)), (float)(-mean / deviation));

    /// <summary>Writes the value of each pixel. Vectors and the rest give the same bits: no fused multiply-add.</summary>
    public void Apply(ReadOnlySpan<byte> pixels, Span<float> values)
    {
        var i = 0;
        for (; i <= pixels.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(pixels[i..]), out var low, out var high);
            Write(low, values[i..]);
            Write(high, values[(i + Vector<ushort>.Count)..]);
        }

        for (; i < pixels.Length; i++) { values[i] = pixels[i] * Factor + Shift; }
    }

    private void Write(Vector<ushort> pixels, Span<float> values)
    {
        Vector.Widen(pixels, out var low, out var high);
        var (factor, shift) = (new Vector<float>(Factor), new Vector<float>(Shift));
        (Vector.ConvertToSingle(low.As<uint, int>()) * factor + shift).CopyTo(values);
        (Vector.ConvertToSingle(high.As<uint, int>()) * factor + shift).CopyTo(values[Vector<float>.Count..]);
    }
}
