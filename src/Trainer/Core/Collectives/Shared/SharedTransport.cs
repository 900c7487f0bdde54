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
    private readonly int _rank, _size;
    private readonly MappedMemory _memory;
    private readonly Board _board;
    private readonly SharedPeer?[] _peers; // By rank; null for this one.
    private readonly PeerWait _wait;
    private readonly Func<MeshFault, MeshFaultException> _fail;
    private readonly long _generation;

    private readonly HashSet<FlatBuffer> _sums = [];
    private readonly HostStaging _hostStaging, _nodeStaging, _sumStaging;
    private readonly ChunkFold _fold = new(DirectAllReduce.MaxRankBytes / sizeof(float));
    private readonly SliceSum _slice = new();
    private uint _sequence, _finished;

    /// <param name="memory">This rank's board. Taken over, like the peers.</param>
    /// <param name="peers">By rank; null for this one.</param>
    public SharedTransport(MeshMembership membership, MappedMemory memory, SharedPeer?[] peers, PeerWait wait, Func<MeshFault, MeshFaultException> fail)
    {
        (_rank, _size, _generation) = (membership.Rank, membership.Size, membership.Generation);
        (_memory, _board, _peers, _wait, _fail) = (memory, new Board(memory.Start), peers, wait, fail);
        _hostStaging = new HostStaging(buffer => buffer.IsOnCpu, length => new FlatBuffer(length));
        _nodeStaging = new HostStaging(buffer => buffer.Share is not null, length => FlatBuffer.ForPeers(length));
        _sumStaging = new HostStaging(_sums.Contains, length => CreateSum(length, device: null));
    }

    public byte[][] Gather(long round, ReadOnlySpan<byte> mine)
    {
        mine.CopyTo(Payload);
        Post(FrameKind.Gather, round, mine.Length);

        var all = new byte[_size][];
        for (var rank = 0; rank < _size; rank++) { all[rank] = Read(FrameKind.Gather, round, rank, length: null).ToArray(); }
        _sequence++;
        return all;
    }

    public void AllReduce(long round, IReadOnlyList<NodeSum> mine, LeafRanges ranges, FlatBuffer result)
    {
        if (DirectAllReduce.Fits(ranges, result.Length)) { AddUpAll(round, mine, ranges, result); }
        else { AddUpSlice(round, mine, ranges, result); }
        _sequence++;
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
        var posting = MemoryMarshal.Cast<byte, float>(Payload);
        for (var n = 0; n < mine.Count; n++) { _hostStaging.Read(n + 1, mine[n].Vector).Span.CopyTo(posting.Slice(n * length, length)); }
        Post(FrameKind.Direct, round, mine.Count * length * sizeof(float));

        _fold.Begin(ranges.LeafCount, _hostStaging.Write(0, result).Pointer, length);
        for (var rank = 0; rank < _size; rank++)
        {
            var nodes = ranges.Nodes(rank);
            fixed (byte* vectors = Read(FrameKind.Direct, round, rank, nodes.Count * length * sizeof(float))) // Memory that does not move.
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
        var posting = MemoryMarshal.Cast<byte, VectorPlace>(Payload);
        posting[0] = new VectorPlace(sum);
        for (var n = 0; n < mine.Count; n++) { posting[n + 1] = new VectorPlace(_nodeStaging.Read(n, mine[n].Vector)); }
        Post(FrameKind.Partial, round, (mine.Count + 1) * sizeof(VectorPlace));

        var operands = new List<(Node, nint)>();
        var results = new nint[_size];
        for (var rank = 0; rank < _size; rank++)
        {
            var nodes = ranges.Nodes(rank);
            var places = MemoryMarshal.Cast<byte, VectorPlace>(Read(FrameKind.Partial, round, rank, (nodes.Count + 1) * sizeof(VectorPlace)));
            results[rank] = rank == _rank ? (nint)sum.Pointer : Map(rank, places[0], result.Length, FileAccess.ReadWrite);
            for (var n = 0; n < nodes.Count; n++)
            {
                operands.Add((nodes[n], rank == _rank
                    ? (nint)_nodeStaging.Read(n, mine[n].Vector).Pointer
                    : Map(rank, places[n + 1], result.Length, FileAccess.Read)));
            }
        }

        var (offset, length) = new Slices(result.Length, _size, ChunkLength: int.MaxValue)[_rank];
        _slice.Run(CollectionsMarshal.AsSpan(operands), ranges.LeafCount, results, offset, length, _board.Progress);

        Interlocked.MemoryBarrier(); // All that was read is read, and all that was streamed is visible, before what follows.
        _wait.ThrowIfAnyoneGaveUp();
        Volatile.Write(ref *_board.Finished, ++_finished);
        Futex.Wake(_board.Finished);
        foreach (var peer in _peers)
        {
            if (peer is not null) { _wait.Until(peer, peer.Board.Finished, _finished); }
        }

        _sumStaging.Finish(0, result);
    }

    /// <summary>Where this collective's payload goes, [<see cref="Board.SlotBytes"/> - header].</summary>
    private Span<byte> Payload => new(_board.Slot(_sequence) + FrameHeader.Size, Board.SlotBytes - FrameHeader.Size);

    private void Post(FrameKind kind, long round, int length)
    {
        // The memory does not fail as a wire may: it needs no hash.
        new FrameHeader(kind, _generation, round, _sequence, length, Hash: 0).Write(new Span<byte>(_board.Slot(_sequence), FrameHeader.Size));
        Interlocked.MemoryBarrier();
        Volatile.Write(ref *_board.Posted, _sequence + 1);
        Futex.Wake(_board.Posted);
    }

    /// <summary>What a rank has posted for this collective: waits for it, and checks it.</summary>
    /// <param name="length">That is due, in bytes; null for any.</param>
    private ReadOnlySpan<byte> Read(FrameKind kind, long round, int rank, int? length)
    {
        var peer = _peers[rank];
        if (peer is not null) { _wait.Until(peer, peer.Board.Posted, _sequence + 1); }

        var slot = (peer?.Board ?? _board).Slot(_sequence);
        var due = new FrameHeader(kind, _generation, round, _sequence, 0, 0);
        if (FrameHeader.Read(new ReadOnlySpan<byte>(slot, FrameHeader.Size)) is not { } header) { throw Corrupt(rank, "bytes that are no frame"); }
        if (header.Differs(due) is { } difference) { throw Corrupt(rank, difference); }
        if (header.Length != (length ?? header.Length)) { throw Corrupt(rank, $"a frame of {header.Length} bytes, not {length}"); }
        if (header.Length is < 0 or > Board.SlotBytes - FrameHeader.Size) { throw Corrupt(rank, $"a frame of {header.Length} bytes"); }
        return new ReadOnlySpan<byte>(slot + FrameHeader.Size, header.Length);
    }

    private nint Map(int rank, VectorPlace place, long length, FileAccess access)
    {
        if (place.Length != length) { throw Corrupt(rank, $"a vector of {place.Length} elements, not {length}"); }
        try
        {
            return (nint)_peers[rank]!.Vector(place.Share, length, access);
        }
        catch (ArgumentException e)
        {
            throw Corrupt(rank, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _wait.ThrowIfAnyoneIsGone();
            throw _wait.Closed(rank, $"its memory cannot be opened: {e.Message}");
        }
    }

    private MeshFaultException Corrupt(int rank, string reason) => _fail(new MeshFault(FaultKind.Corrupt, rank, $"posted {reason}"));

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
