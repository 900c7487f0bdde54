using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>A listener's answer to a hello. The numbers go over the wire: never renumber.</summary>
internal enum Admittance
{
    Unknown = 0,
    Admitted = 1,

    /// <summary>The caller speaks another version.</summary>
    WrongProtocol = 2,

    /// <summary>This process works on another job: it may come to the caller's job later.</summary>
    WrongJob = 3,

    /// <summary>The caller's generation is over.</summary>
    OldGeneration = 4,

    /// <summary>This process does not expect the caller's generation yet.</summary>
    NotReady = 5,

    WrongSecret = 6,

    /// <summary>The caller's rank, or the rank that it looks for, has no place here.</summary>
    WrongRank = 7,

    /// <summary>The mesh is complete.</summary>
    Taken = 8,
}

/// <summary>
/// The first message on a connection, from the side that connected. Little-endian: magic [4], version [4], generation [8],
/// rank [4], looked-for rank [4], SHA-256 of the job id [32], secret [32]. The answer: magic [4], version [4], admittance [4].
/// </summary>
/// <param name="To">Rank that the caller wants to reach: an address may have passed to another process.</param>
internal readonly ref struct Hello(long generation, int from, int to, ReadOnlySpan<byte> job, ReadOnlySpan<byte> secret)
{
    public const int Size = 24 + SHA256.HashSizeInBytes + MeshMembership.SecretBytes;
    public const int AnswerSize = 12;
    public const int Version = 2;

    private const uint Magic = 0x48434C43, AnswerMagic = 0x41434C43; // "CLCH", "CLCA"

    public long Generation { get; } = generation;
    public int From { get; } = from;
    public int To { get; } = to;
    public ReadOnlySpan<byte> Job { get; } = job;
    public ReadOnlySpan<byte> Secret { get; } = secret;

    public static byte[] JobHash(string jobId) => SHA256.HashData(Encoding.UTF8.GetBytes(jobId));

    public void Write(Span<byte> into)
    {
        WriteUInt32LittleEndian(into, Magic);
        WriteInt32LittleEndian(into[4..], Version);
        WriteInt64LittleEndian(into[8..], Generation);
        WriteInt32LittleEndian(into[16..], From);
        WriteInt32LittleEndian(into[20..], To);
        Job.CopyTo(into[24..]);
        Secret.CopyTo(into[(24 + SHA256.HashSizeInBytes)..]);
    }

    /// <summary>False when the bytes are no hello at all; the version must be looked at before anything else.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out int version, out Hello hello)
    {
        version = ReadInt32LittleEndian(bytes[4..]);
        hello = new Hello(ReadInt64LittleEndian(bytes[8..]), ReadInt32LittleEndian(bytes[16..]), ReadInt32LittleEndian(bytes[20..]),
            bytes.Slice(24, SHA256.HashSizeInBytes), bytes.Slice(24 + SHA256.HashSizeInBytes, MeshMembership.SecretBytes));
        return ReadUInt32LittleEndian(bytes) == Magic;
    }

    public static void WriteAnswer(Span<byte> into, Admittance answer)
    {
        WriteUInt32LittleEndian(into, AnswerMagic);
        WriteInt32LittleEndian(into[4..], Version);
        WriteInt32LittleEndian(into[8..], (int)answer);
    }

    /// <summary>Unknown when the bytes are no answer.</summary>
    public static Admittance ReadAnswer(ReadOnlySpan<byte> bytes) =>
        ReadUInt32LittleEndian(bytes) == AnswerMagic ? (Admittance)ReadInt32LittleEndian(bytes[8..]) : Admittance.Unknown;
}

/// <summary>Reads of a fixed size against a deadline, for a peer that is not trusted yet.</summary>
internal static class BoundedReceive
{
    /// <summary>Fills <paramref name="into"/>; false when the peer closes, fails or lets the time pass.</summary>
    public static bool TryReceive(Socket socket, Span<byte> into, TimeSpan limit)
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            while (into.Length > 0)
            {
                // Each read gets what is left of the whole, so that a trickle of bytes holds nothing up.
                var left = limit - Stopwatch.GetElapsedTime(start);
                if (left <= TimeSpan.Zero) { return false; }
                socket.ReceiveTimeout = Math.Max(1, (int)left.TotalMilliseconds);
                var count = socket.Receive(into);
                if (count == 0) { return false; }
                into = into[count..];
            }

            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }
}
