using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>
/// <c>weightsSha256</c>: SHA-256 over the float32 little-endian values of the parameters in layout order, without padding and
/// without statistics. The same bytes stand at the beginning of the values in model.safetensors, so it can be checked from there.
/// </summary>
internal static class WeightsHash
{
    /// <returns>64 lower-case hexadecimal digits.</returns>
    public static string Of(Layout layout, FlatBuffer theta)
    {
        if (!theta.IsOnCpu)
        {
            using var copy = new FlatBuffer(theta.Length);
            copy.CopyFrom(theta);
            return Of(layout, copy);
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var segment in layout.Parameters)
        {
            for (var done = 0L; done < segment.Length; done += StateTensors.ChunkLength)
            {
                var count = Math.Min(StateTensors.ChunkLength, segment.Length - done);
                hash.AppendData(MemoryMarshal.AsBytes(theta.Slice(segment.Offset + done, count)));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
