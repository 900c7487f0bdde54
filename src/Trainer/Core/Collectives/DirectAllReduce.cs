using System.Runtime.InteropServices;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// All-reduce of small vectors: every rank sends all its node sums to every other and adds up everything itself. More bytes
/// than the least, but one hop, one call a peer and direction, and no change of thread.
/// </summary>
/// <remarks>
/// Sends block on the training thread. That cannot deadlock while one frame fits the empty buffers of a connection: to have
/// begun this collective a rank has read what its peers sent in the one before the last.
/// </remarks>
/// <param name="links">By rank; null for this one.</param>
internal sealed unsafe class DirectAllReduce(PeerLink?[] links) : IDisposable
{
    /// <summary>The most that one rank sends to one peer.</summary>
    public const int MaxRankBytes = 64 << 10;

    /// <summary>The most that one rank receives.</summary>
    public const int MaxTotalBytes = 256 << 10;

    private readonly byte[] _outgoing = new byte[FrameHeader.Size + MaxRankBytes];
    private readonly ChunkFold _fold = new(MaxRankBytes / sizeof(float));
    private void* _incoming;
    private nuint _incomingBytes;

    /// <summary>Whether vectors of this length are small; the same answer on every rank.</summary>
    public static bool Fits(LeafRanges ranges, long length)
    {
        var total = 0L;
        for (var rank = 0; rank < ranges.Ranks; rank++)
        {
            var bytes = checked(ranges.Nodes(rank).Count * length * sizeof(float));
            total += bytes;
            if (bytes > MaxRankBytes || total > MaxTotalBytes) { return false; }
        }

        return true;
    }

    /// <param name="mine">This rank's node sums (float*, [length]) in order of position.</param>
    /// <param name="ranges">Over at least one leaf.</param>
    public void Run(long round, ReadOnlySpan<nint> mine, LeafRanges ranges, float* result, int length)
    {
        var frame = _outgoing.AsSpan(0, FrameHeader.Size + mine.Length * length * sizeof(float));
        var payload = frame[FrameHeader.Size..];
        for (var n = 0; n < mine.Length; n++)
        {
            new ReadOnlySpan<byte>((void*)mine[n], length * sizeof(float)).CopyTo(payload[(n * length * sizeof(float))..]);
        }

        // Ranks without leaves send an empty frame: it keeps everybody within one collective of everybody else.
        var hash = FrameHeader.HashOf(payload);
        foreach (var link in links) { link?.Send(FrameKind.Direct, round, frame, hash); }

        var at = Incoming(ranges.Ranks);
        _fold.Begin(ranges.LeafCount, result, length);
        foreach (var rank in ranges.Order)
        {
            var nodes = ranges.Nodes(rank);
            if (links[rank] is not { } link)
            {
                for (var n = 0; n < nodes.Count; n++) { _fold.Push(nodes[n], (float*)mine[n]); }
                continue;
            }

            var received = new Span<byte>(at, FrameHeader.Size + nodes.Count * length * sizeof(float));
            link.ReceiveFrame(FrameKind.Direct, round, received);
            for (var n = 0; n < nodes.Count; n++) { _fold.Push(nodes[n], (float*)(at + FrameHeader.Size) + (long)n * length); }
            at += received.Length;
        }

        _fold.End();
    }

    /// <summary>Room for the frames of all ranks, which stay until the sum is done.</summary>
    private byte* Incoming(int ranks)
    {
        var bytes = (nuint)(ranks * FrameHeader.Size + MaxTotalBytes);
        if (bytes > _incomingBytes)
        {
            _incoming = NativeMemory.AlignedRealloc(_incoming, bytes, 64);
            _incomingBytes = bytes;
        }

        return (byte*)_incoming;
    }

    public void Dispose()
    {
        _fold.Dispose();
        NativeMemory.AlignedFree(_incoming);
        _incoming = null;
    }
}
