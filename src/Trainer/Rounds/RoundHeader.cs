using System.Buffers.Binary;
using System.Text;
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
/// What every rank tells every other before the vectors of a round are reduced: its wish, its trouble, which of its leaves were late, and
/// the scalars of its nodes. All ranks fold the same headers in the same order, so all come to the same decision, and can say why: go on,
/// skip, stop, or change over.
/// </summary>
/// <remarks>
/// <code>
/// little-endian:  stop [1]  generation [8]  length of the trouble [2]  how many leaves were late [4]
///                 trouble in UTF-8  each late leaf's index [4]  for each node five doubles [40]
/// </code>
/// With the longest trouble, 12288 leaves of a round all late on one rank, and the nodes of a rank, some 52 kB: a gather takes 64 KiB.
/// </remarks>
internal static class RoundHeader
{
    private const int LengthAt = 1 + sizeof(long);
    private const int LateAt = LengthAt + sizeof(ushort);
    private const int FixedBytes = LateAt + sizeof(int);
    private const int TallyBytes = 5 * sizeof(double);

    /// <summary>Longer words of trouble are cut off.</summary>
    private const int MaxTroubleBytes = 2_000;

    /// <param name="late">Indices, ascending.</param>
    /// <param name="trouble">Why a loss of this rank is not a number, where its method knows; null otherwise.</param>
    public static byte[] Write(RoundWish wish, IReadOnlyList<int> late, IReadOnlyList<Tally> tallies, string? trouble = null)
    {
        Span<byte> words = stackalloc byte[MaxTroubleBytes];
        Encoder encoder = Encoding.UTF8.GetEncoder();
        encoder.Convert(trouble, words, flush: true, out _, out var length, out _); // Whole characters, as many as there is room for.

        var bytes = new byte[FixedBytes + length + late.Count * sizeof(int) + tallies.Count * TallyBytes];
        bytes[0] = wish.Stop ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(1), wish.Generation);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(LengthAt), (ushort)length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(LateAt), late.Count);
        words[..length].CopyTo(bytes.AsSpan(FixedBytes));

        var indices = bytes.AsSpan(FixedBytes + length);
        for (var i = 0; i < late.Count; i++) { BinaryPrimitives.WriteInt32LittleEndian(indices[(i * sizeof(int))..], late[i]); }

        var scalars = indices[(late.Count * sizeof(int))..];
        for (var i = 0; i < tallies.Count; i++)
        {
            var t = tallies[i];
            ReadOnlySpan<double> values = [t.Samples, t.Weight, t.Loss, t.Correct, t.Leaves];
            for (var v = 0; v < values.Length; v++) { BinaryPrimitives.WriteDoubleLittleEndian(scalars[(i * TallyBytes + v * sizeof(double))..], values[v]); }
        }

        return bytes;
    }

    public static (RoundWish Wish, string? Trouble, int[] Late, Tally[] Tallies) Read(ReadOnlySpan<byte> bytes)
    {
        var isWhole = bytes.Length >= FixedBytes;
        var length = isWhole ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[LengthAt..]) : 0;
        var count = isWhole ? BinaryPrimitives.ReadInt32LittleEndian(bytes[LateAt..]) : -1;
        var rest = bytes.Length - FixedBytes - length - (long)count * sizeof(int);
        if (count < 0 || rest < 0 || rest % TallyBytes != 0)
        {
            throw new InvalidDataException($"a round header of {bytes.Length} bytes is not a wish, words, indices and whole tallies");
        }

        var indices = bytes[(FixedBytes + length)..];
        var late = new int[count];
        for (var i = 0; i < count; i++) { late[i] = BinaryPrimitives.ReadInt32LittleEndian(indices[(i * sizeof(int))..]); }

        var scalars = indices[(count * sizeof(int))..];
        var tallies = new Tally[rest / TallyBytes];
        for (var i = 0; i < tallies.Length; i++)
        {
            var at = scalars.Slice(i * TallyBytes, TallyBytes);
            tallies[i] = new Tally(Number(at, 0), Number(at, 1), Number(at, 2), Number(at, 3), Number(at, 4));
        }

        var trouble = length > 0 ? Encoding.UTF8.GetString(bytes.Slice(FixedBytes, length)) : null;
        return (new RoundWish(bytes[0] != 0, BinaryPrimitives.ReadInt64LittleEndian(bytes[1..])), trouble, late, tallies);

        static double Number(ReadOnlySpan<byte> at, int index) => BinaryPrimitives.ReadDoubleLittleEndian(at[(index * sizeof(double))..]);
    }
}
