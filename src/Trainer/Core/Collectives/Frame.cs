using System.IO.Hashing;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>Which step of which collective a frame belongs to.</summary>
internal enum FrameKind : uint
{
    Unknown = 0,

    /// <summary>A byte string of an all-gather.</summary>
    Gather,

    /// <summary>All node sums of one rank, of a small all-reduce.</summary>
    Direct,

    /// <summary>A chunk of one node's sum, on its way to the rank that owns these elements.</summary>
    Partial,

    /// <summary>A finished chunk, from its owner.</summary>
    Result,

    /// <summary>A chunk of a broadcast.</summary>
    Broadcast,

    /// <summary>What the ranks need to know of each other before the first collective.</summary>
    Meeting,

    /// <summary>A vector that is handed along a chain.</summary>
    Vector,

    /// <summary>All vectors of a round were handed along; whether it is the last round.</summary>
    EndOfRound,

    /// <summary>Against a chain's direction: one more vector is used up.</summary>
    Credit,
}

/// <summary>
/// What stands before every payload on the data plane. Little-endian: magic [4], kind [4], generation [8], round [8],
/// sequence [8], length [4], zero [4], XxHash3-64 of the payload [8].
/// </summary>
/// <param name="Generation">Of the sender's mesh: a late frame of a dead generation is never added into a sum.</param>
/// <param name="Sequence">Frames sent before on this connection, in this direction.</param>
/// <param name="Length">Bytes of payload.</param>
internal readonly record struct FrameHeader(FrameKind Kind, long Generation, long Round, long Sequence, int Length, ulong Hash)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 48;

    private const uint Magic = 0x46434C43; // "CLCF"

    public static ulong HashOf(ReadOnlySpan<byte> payload) => XxHash3.HashToUInt64(payload);

    public void Write(Span<byte> to)
    {
        WriteUInt32LittleEndian(to, Magic);
        WriteUInt32LittleEndian(to[4..], (uint)Kind);
        WriteInt64LittleEndian(to[8..], Generation);
        WriteInt64LittleEndian(to[16..], Round);
        WriteInt64LittleEndian(to[24..], Sequence);
        WriteInt32LittleEndian(to[32..], Length);
        WriteInt32LittleEndian(to[36..], 0);
        WriteUInt64LittleEndian(to[40..], Hash);
    }

    /// <summary>Null when the bytes are no header.</summary>
    public static FrameHeader? Read(ReadOnlySpan<byte> from) => ReadUInt32LittleEndian(from) != Magic ? null : new FrameHeader(
        (FrameKind)ReadUInt32LittleEndian(from[4..]),
        ReadInt64LittleEndian(from[8..]),
        ReadInt64LittleEndian(from[16..]),
        ReadInt64LittleEndian(from[24..]),
        ReadInt32LittleEndian(from[32..]),
        ReadUInt64LittleEndian(from[40..]));

    /// <summary>What is wrong with this header when <paramref name="due"/> is expected, in words; null when nothing is.</summary>
    public string? Differs(in FrameHeader due) =>
        Generation != due.Generation ? $"a frame of generation {Generation}, not {due.Generation}"
        : Round != due.Round ? $"a frame of round {Round}, not {due.Round}"
        : Kind != due.Kind ? $"a frame of kind {Kind}, not {due.Kind}"
        : Sequence != due.Sequence ? $"frame number {Sequence}, not {due.Sequence}"
        : null;
}
