using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>Collectives over the mesh's connections, between any hosts.</summary>
/// <param name="links">By rank; null for this one.</param>
internal sealed unsafe class SocketTransport(int self, PeerLink?[] links) : ITransport
{
    private readonly byte[] _gatherFrame = new byte[FrameHeader.Size + Mesh.MaxGatherBytes];
    private readonly HostStaging _staging = new(buffer => buffer.IsOnCpu, length => new FlatBuffer(length));
    private readonly DirectAllReduce _direct = new(links);
    private readonly PipelinedAllReduce _pipelined = new(self, links);

    public byte[][] Gather(long round, ReadOnlySpan<byte> mine) => Gather(FrameKind.Gather, round, mine);

    public byte[][] Gather(FrameKind kind, long round, ReadOnlySpan<byte> mine)
    {
        var frame = _gatherFrame.AsSpan(0, FrameHeader.Size + mine.Length);
        mine.CopyTo(frame[FrameHeader.Size..]);
        var hash = FrameHeader.HashOf(mine);
        foreach (var link in links) { link?.Send(kind, round, frame, hash); }

        var all = new byte[links.Length][];
        for (var rank = 0; rank < links.Length; rank++)
        {
            if (links[rank] is not { } link)
            {
                all[rank] = mine.ToArray();
                continue;
            }

            var header = link.ReceiveHeader(kind, round);
            if (header.Length is < 0 or > Mesh.MaxGatherBytes) { throw link.Corrupt($"a byte string of {header.Length} bytes"); }
            all[rank] = new byte[header.Length];
            link.ReceivePayload(header, all[rank]);
        }

        return all;
    }

    public void AllReduce(long round, IReadOnlyList<NodeSum> mine, LeafRanges ranges, FlatBuffer result) => AllReduce(round, mine, ranges, result, result.Whole);

    /// <inheritdoc cref="Mesh.AllReducePart"/>
    public void AllReduce(long round, IReadOnlyList<NodeSum> mine, LeafRanges ranges, FlatBuffer result, FlatRange part)
    {
        Span<nint> vectors = stackalloc nint[mine.Count]; // At most 2 log2(leaves).
        for (var n = 0; n < mine.Count; n++) { vectors[n] = (nint)(_staging.Read(n + 1, mine[n].Vector, part).Pointer + part.Offset); }
        var sum = _staging.Write(0, result).Pointer + part.Offset;
        try
        {
            if (DirectAllReduce.Fits(ranges, part.Length)) { _direct.Run(round, vectors, ranges, sum, (int)part.Length); }
            else { _pipelined.Run(round, vectors, ranges, sum, part.Length); }
        }
        finally
        {
            foreach (var link in links) { link?.Flush(); }
        }

        _staging.Finish(0, result, part);
    }

    public FlatBuffer CreateSum(long length, TorchSharp.torch.Device? device) => new(length, device);

    /// <summary>The mesh closes the connections: that says it.</summary>
    public void GiveUp(int? lost) { }

    public void Dispose()
    {
        _direct.Dispose();
        _pipelined.Dispose();
        _staging.Dispose();
    }
}
