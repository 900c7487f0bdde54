using System.Buffers.Binary;

namespace Cluster.Tests.Data;

/// <summary>Hand-made files of each format, small but right.</summary>
internal static class Samples
{
    /// <summary>IDX images of 28x28; pixel p of image i is (i + p) mod 256.</summary>
    public static byte[] IdxImages(int count) => [.. Header(0x803, count, 28, 28), .. Enumerable.Range(0, count * 784).Select(k => (byte)(k / 784 + k % 784))];

    public static byte[] IdxLabels(params byte[] labels) => [.. Header(0x801, labels.Length), .. labels];

    public static byte[] Header(params int[] values)
    {
        var bytes = new byte[4 * values.Length];
        for (var i = 0; i < values.Length; i++) { BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 * i), values[i]); }
        return bytes;
    }

    /// <summary>CIFAR-10 records; every red pixel is 10, green 20, blue 30, plus the label.</summary>
    public static byte[] Cifar(params byte[] labels) =>
        [.. labels.SelectMany(label => (byte[])[label, .. Enumerable.Range(0, 3072).Select(p => (byte)(10 * (p / 1024 + 1) + label))])];

    /// <summary>A line of UCI digits: pixel p is p mod 17.</summary>
    public static string DigitsLine(int label) => string.Join(',', Enumerable.Range(0, 64).Select(p => p % 17).Append(label));
}
