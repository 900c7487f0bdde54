using Cluster.Trainer.Core;
using System.Buffers.Binary;
using Cluster.Trainer.Methods;

namespace Cluster.Trainer.Rounds;

/// <summary>
/// What every rank tells every other before the vectors of a round are reduced: whether it was asked to stop, and the scalars
/// of its nodes. All ranks fold the same headers in the same order, so all come to the same decision: go on, skip, or stop.
/// </summary>
internal static class RoundHeader
{
    private const int TallyBytes = 5 * sizeof(double);

    public static byte[] Write(bool stop, IReadOnlyList<Tally> tallies)
    {
        var bytes = new byte[1 + tallies.Count * TallyBytes];
        bytes[0] = stop ? (byte)1 : (byte)0;
        for (var i = 0; i < tallies.Count; i++)
        {
            var t = tallies[i];
            ReadOnlySpan<double> values = [t.Samples, t.Weight, t.Loss, t.Correct, t.Leaves];
            for (var v = 0; v < values.Length; v++)
            {
                BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(1 + i * TallyBytes + v * sizeof(double)), values[v]);
            }
        }

        return bytes;
    }

    public static (bool Stop, Tally[] Tallies) Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 1 || (bytes.Length - 1) % TallyBytes != 0)
        {
            throw new InvalidDataException($"a round header of {bytes.Length} bytes is not a stop wish and whole tallies");
        }

        var tallies = new Tally[(bytes.Length - 1) / TallyBytes];
        for (var i = 0; i < tallies.Length; i++)
        {
            var at = bytes.Slice(1 + i * TallyBytes, TallyBytes);
            tallies[i] = new Tally(Number(at, 0), Number(at, 1), Number(at, 2), Number(at, 3), Number(at, 4));
        }

        return (bytes[0] != 0, tallies);

        static double Number(ReadOnlySpan<byte> at, int index) => BinaryPrimitives.ReadDoubleLittleEndian(at[(index * sizeof(double))..]);
    }
}
