using System.Buffers.Binary;
using Cluster.Trainer.Core;

namespace Cluster.Trainer.Rounds;

/// <summary>What a rank would like to happen after the round; what one wishes, all do.</summary>
/// <param name="Stop">End at a checkpoint.</param>
/// <param name="Generation">The newest generation that it has heard of: ranks in an older one change over to it.</param>
internal readonly record struct RoundWish(bool Stop, long Generation)
{
    public static RoundWish operator |(RoundWish a, RoundWish b) => new(a.Stop | b.Stop, Math.Max(a.Generation, b.Generation));
}

/// <summary>
/// What every rank tells every other before the vectors of a round are reduced: its wish, which of its leaves were late, and the scalars
/// of its nodes. All ranks fold the same headers in the same order, so all come to the same decision: go on, skip, stop, or change over.
/// </summary>
/// <remarks>Little-endian: stop [1], generation [8], how many leaves were late [4], each one's index [4], then for each node five doubles [40].</remarks>
internal static class RoundHeader
{
    private const int FixedBytes = 1 + sizeof(long) + sizeof(int);
    private const int TallyBytes = 5 * sizeof(double);

    /// <param name="late">Indices, ascending.</param>
    public static byte[] Write(RoundWish wish, IReadOnlyList<int> late, IReadOnlyList<Tally> tallies)
    {
        var bytes = new byte[FixedBytes + (late.Count * sizeof(int)) + (tallies.Count * TallyBytes)];
        bytes[0] = wish.Stop ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(1), wish.Generation);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(1 + sizeof(long)), late.Count);
        for (var i = 0; i < late.Count; i++) { BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(FixedBytes + (i * sizeof(int))), late[i]); }

        var scalars = bytes.AsSpan(FixedBytes + (late.Count * sizeof(int)));
        for (var i = 0; i < tallies.Count; i++)
        {
            var t = tallies[i];
            ReadOnlySpan<double> values = [t.Samples, t.Weight, t.Loss, t.Correct, t.Leaves];
            for (var v = 0; v < values.Length; v++) { BinaryPrimitives.WriteDoubleLittleEndian(scalars[(i * TallyBytes + v * sizeof(double))..], values[v]); }
        }

        return bytes;
    }

    public static (RoundWish Wish, int[] Late, Tally[] Tallies) Read(ReadOnlySpan<byte> bytes)
    {
        var count = bytes.Length < FixedBytes ? -1 : BinaryPrimitives.ReadInt32LittleEndian(bytes[(1 + sizeof(long))..]);
        var rest = bytes.Length - FixedBytes - ((long)count * sizeof(int));
        if (count < 0 || rest < 0 || rest % TallyBytes != 0)
        {
            throw new InvalidDataException($"a round header of {bytes.Length} bytes is not a wish, indices and whole tallies");
        }

        var late = new int[count];
        for (var i = 0; i < count; i++) { late[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(FixedBytes + (i * sizeof(int)))..]); }

        var tallies = new Tally[rest / TallyBytes];
        for (var i = 0; i < tallies.Length; i++)
        {
            var at = bytes.Slice(FixedBytes + (count * sizeof(int)) + (i * TallyBytes), TallyBytes);
            tallies[i] = new Tally(Number(at, 0), Number(at, 1), Number(at, 2), Number(at, 3), Number(at, 4));
        }

        return (new RoundWish(bytes[0] != 0, BinaryPrimitives.ReadInt64LittleEndian(bytes[1..])), late, tallies);

        static double Number(ReadOnlySpan<byte> at, int index) => BinaryPrimitives.ReadDoubleLittleEndian(at[(index * sizeof(double))..]);
    }
}
