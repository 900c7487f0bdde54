using System.Runtime.InteropServices;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Collectives.Shared;

/// <summary>
/// Collectives of ranks on one host, through memory that they share. Short ones travel on the boards; of a large all-reduce
/// only the places of the vectors do, and every rank adds up one slice for all.
/// </summary>
/// <remarks>
/// <para>A large all-reduce ends on no rank before all have finished their slices. So the caller may write its vectors as soon
/// as a call returns. When a call throws it may too, and a peer may still be reading them: that peer looks after its last read
/// whether anybody has given up, and if so never says that it has finished. No rank goes on with numbers that were changed
/// under way.</para>
/// <para>Peers read node sums, and write results. Node sums last as long as the caller likes; results belong to one mesh
/// (<see cref="CreateSum"/>), so that a process that wakes up in an old generation cannot write into a new one.</para>
/// </remarks>
internal sealed unsafe class SharedTransport : ITransport
{
    private readonly int _rank;
    private readonly MappedMemory _memory;
    private readonly Board _board;
    private readonly SharedPeer?[] _peers; // By rank; null for this one.
    private readonly PeerWait _wait;
    private readonly Postings _postings;

    private readonly HashSet<FlatBuffer> _sums = [];
    private readonly HostStaging _hostStaging, _nodeStaging, _sumStaging;
    private readonly ChunkFold _fold = new(DirectAllReduce.MaxRankBytes / sizeof(float));
    private readonly SliceSum _slice = new();
    private uint _finished;

    /// <param name="memory">This rank's board. Taken over, like the peers.</param>
    /// <param name="peers">By rank; null for this one.</param>
    public SharedTransport(MeshMembership membership, MappedMemory memory, SharedPeer?[] peers, PeerWait wait, Func<MeshFault, MeshFaultException> fail)
    {
        (_rank, _memory, _board, _peers, _wait) = (membership.Rank, memory, new Board(memory.Start), peers, wait);
        _postings = new Postings(membership, _board, peers, wait, fail);
        _hostStaging = new HostStaging(buffer => buffer.IsOnCpu, length => new FlatBuffer(length));
        _nodeStaging = new HostStaging(buffer => buffer.Share is not null, length => FlatBuffer.ForPeers(length));
        _sumStaging = new HostStaging(_sums.Contains, length => CreateSum(length, device: null));
    }

    public byte[][] Gather(long round, ReadOnlySpan<byte> mine)
    {
        mine.CopyTo(_postings.Payload);
        _postings.Post(FrameKind.Gather, round, mine.Length);

        var all = new byte[_peers.Length][];
        for (var rank = 0; rank < all.Length; rank++) { all[rank] = _postings.Read(FrameKind.Gather, round, rank, length: null).ToArray(); }
        _postings.Next();
        return all;
    }

    public void AllReduce(long round, IReadOnlyList<NodeSum> mine, LeafRanges ranges, FlatBuffer result)
    {
        if (DirectAllReduce.Fits(ranges, result.Length)) { AddUpAll(round, mine, ranges, result); }
        else { AddUpSlice(round, mine, ranges, result); }
        _postings.Next();
    }

    public FlatBuffer CreateSum(long length, TorchSharp.torch.Device? device)
    {
        var sum = FlatBuffer.ForPeers(length, device);
        if (sum.Share is not null) { _sums.Add(sum); }
        return sum;
    }

    public void GiveUp(int? lost)
    {
        Volatile.Write(ref *_board.GaveUp, (uint)(lost + 2 ?? 1));
        Interlocked.MemoryBarrier(); // Visible before anything that the caller does to its vectors after this.
        Futex.Wake(_board.Posted);
        Futex.Wake(_board.Finished);
    }

    /// <summary>The small way: everybody posts all its vectors, and adds up everything itself.</summary>
    private void AddUpAll(long round, IReadOnlyList<NodeSum> mine, LeafRanges ranges, FlatBuffer result)
    {
        var length = (int)result.Length;
        var posting = MemoryMarshal.Cast<byte, float>(_postings.Payload);
        for (var n = 0; n < mine.Count; n++) { _hostStaging.Read(n + 1, mine[n].Vector).Span.CopyTo(posting.Slice(n * length, length)); }
        _postings.Post(FrameKind.Direct, round, mine.Count * length * sizeof(float));

        _fold.Begin(ranges.LeafCount, _hostStaging.Write(0, result).Pointer, length);
        foreach (var rank in ranges.Order)
        {
            var nodes = ranges.Nodes(rank);
            fixed (byte* vectors = _postings.Read(FrameKind.Direct, round, rank, nodes.Count * length * sizeof(float))) // Memory that does not move.
            {
                for (var n = 0; n < nodes.Count; n++) { _fold.Push(nodes[n], (float*)vectors + (long)n * length); }
            }
        }

        _fold.End();
        _hostStaging.Finish(0, result);
    }

    /// <summary>The large way: everybody posts where its vectors and its result lie, and adds up its slice for all.</summary>
    private void AddUpSlice(long round, IReadOnlyList<NodeSum> mine, LeafRanges ranges, FlatBuffer result)
    {
        var sum = _sumStaging.Write(0, result);
        var vectors = new FlatBuffer[mine.Count];
        for (var n = 0; n < mine.Count; n++) { vectors[n] = _nodeStaging.Read(n, mine[n].Vector); }

        var posting = MemoryMarshal.Cast<byte, VectorPlace>(_postings.Payload);
        posting[0] = new VectorPlace(sum);
        for (var n = 0; n < mine.Count; n++) { posting[n + 1] = new VectorPlace(vectors[n]); }
        _postings.Post(FrameKind.Partial, round, (mine.Count + 1) * sizeof(VectorPlace));

        var operands = new List<(Node, nint)>();
        var results = new nint[_peers.Length];
        foreach (var rank in ranges.Order)
        {
            var nodes = ranges.Nodes(rank);
            var places = MemoryMarshal.Cast<byte, VectorPlace>(_postings.Read(FrameKind.Partial, round, rank, (nodes.Count + 1) * sizeof(VectorPlace)));
            results[rank] = rank == _rank ? (nint)sum.Pointer : Map(rank, places[0], result.Length, FileAccess.ReadWrite);
            for (var n = 0; n < nodes.Count; n++)
            {
                operands.Add((nodes[n], rank == _rank ? (nint)vectors[n].Pointer : Map(rank, places[n + 1], result.Length, FileAccess.Read)));
            }
        }

        var (offset, length) = new Slices(result.Length, _peers.Length, ChunkLength: int.MaxValue)[_rank];
        _slice.Run(CollectionsMarshal.AsSpan(operands), ranges.LeafCount, results, offset, length, _board.Progress);

        Interlocked.MemoryBarrier(); // All that was read is read, before we look who gave up.
        _wait.ThrowIfAnyoneGaveUp();
        _board.Raise(_board.Finished, ++_finished);
        foreach (var peer in _peers)
        {
            if (peer is not null) { _wait.Until(peer, peer.Board.Finished, _finished); }
        }

        _sumStaging.Finish(0, result);
    }

    private nint Map(int rank, VectorPlace place, long length, FileAccess access)
    {
        if (place.Length != length) { throw _postings.Corrupt(rank, $"a vector of {place.Length} elements, not {length}"); }
        try
        {
            return (nint)_peers[rank]!.Vector(place.Share, length, access);
        }
        catch (ArgumentException e)
        {
            throw _postings.Corrupt(rank, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _wait.ThrowIfAnyoneIsGone();
            throw _wait.Closed(rank, $"its memory cannot be opened: {e.Message}");
        }
    }

    public void Dispose()
    {
        _hostStaging.Dispose();
        _nodeStaging.Dispose();
        _sumStaging.Dispose();
        _fold.Dispose();
        _slice.Dispose();
        foreach (var peer in _peers) { peer?.Dispose(); }
        _memory.Dispose();
    }

    /// <summary>A vector as it is posted.</summary>
    private readonly record struct VectorPlace(MemoryShare Share, long Length)
    {
        public VectorPlace(FlatBuffer buffer) : this(buffer.Share!.Value, buffer.Length) { }
    }
}
