using System.Net.Sockets;
using Cluster.Trainer.Core.Collectives.Shared;
using Cluster.Trainer.Core.State;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// The data plane of one generation: a fixed set of ranks, one TCP connection between every two, and the collectives of a
/// round. Every sum comes out bit for bit as the canonical tree says, whatever the number of ranks.
/// </summary>
/// <remarks>
/// <para>Ranks that all run on one host share memory, and their connections tell who is still there; otherwise everything
/// goes over the connections.</para>
/// <para>All ranks call the same collectives with the same rounds in the same order, each from one thread at a time; only
/// <see cref="Abort"/> and the counters may be used from others meanwhile.</para>
/// <para>Every frame is checked for generation, round, order, length and hash. Any fault ends the mesh: connections close, so
/// that the peers notice too, and this and every later call throws <see cref="MeshFaultException"/>. No thread reads the
/// caller's buffers any more once a call has returned or thrown.</para>
/// </remarks>
internal sealed unsafe class Mesh : IDisposable
{
    /// <summary>The longest byte string of a <see cref="Gather"/>.</summary>
    public const int MaxGatherBytes = 64 << 10;

    private readonly MeshMembership _membership;
    private readonly DataPlaneListener _listener;
    private readonly Admission _admission;
    private readonly PeerLink?[] _links; // By rank; null for this one.
    private readonly Lock _gate = new(); // Guards the fault and the slots of the links.
    private readonly CancellationTokenSource _ended = new();
    private readonly HostStaging _staging = new(buffer => buffer.IsOnCpu, length => new FlatBuffer(length));
    private readonly SocketTransport _sockets;
    private SharedTransport? _shared;
    private MeshFault? _fault;

    /// <param name="listener">This process's door; the members' addresses were taken from it. It outlives the mesh.</param>
    public Mesh(MeshMembership membership, DataPlaneListener listener)
    {
        _membership = membership;
        _listener = listener;
        _admission = new Admission(membership);
        _links = new PeerLink?[membership.Size];
        _sockets = new SocketTransport(membership.Rank, _links);
    }

    public long Generation => _membership.Generation;

    public int Rank => _membership.Rank;

    public int Size => _membership.Size;

    /// <summary>Whether the ranks, all on one host, share memory. Known once connected.</summary>
    public bool IsShared => _shared is not null;

    /// <summary>Bytes sent to all peers over connections, headers included.</summary>
    public long BytesSent => _links.Sum(link => link?.BytesSent ?? 0);

    public long BytesReceived => _links.Sum(link => link?.BytesReceived ?? 0);

    /// <summary>
    /// Connects to every lower rank and waits for every higher one. Members that are not there yet are tried again until the
    /// membership's deadline.
    /// </summary>
    public void Connect()
    {
        ThrowIfEnded();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
        deadline.CancelAfter(_membership.Deadline);
        _listener.Expect(_admission);
        try
        {
            for (var rank = 0; rank < Rank; rank++) { Add(rank, Dialer.Dial(_membership, rank, deadline.Token)); }
            if (_admission.TakeAll(deadline.Token, out var missing) is not { } higher)
            {
                throw Fail(new MeshFault(FaultKind.Unreachable, missing[0], $"did not connect in {_membership.Deadline.TotalSeconds:0.###} s"));
            }

            foreach (var (rank, socket) in higher) { Add(rank, socket); }
            ShareMemory();
        }
        catch (MeshFaultException e)
        {
            throw Fail(e.Fault); // The first fault: an abort shows in Dial as a member that cannot be reached.
        }

        ThrowIfEnded();
    }

    /// <summary>Every rank's byte string, in order of rank. Control headers and tallies of a round travel here.</summary>
    /// <param name="mine">At most <see cref="MaxGatherBytes"/> bytes; lengths may differ between ranks.</param>
    public byte[][] Gather(long round, ReadOnlySpan<byte> mine)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(mine.Length, MaxGatherBytes);
        ThrowIfEnded();
        return Transport.Gather(round, mine);
    }

    /// <summary>The canonical sum of all ranks' nodes, on every rank.</summary>
    /// <param name="mine">
    /// This rank's node sums, in order of position: the nodes that <paramref name="ranges"/> gives it, none for a rank without
    /// leaves. Each [result.Length]; left unchanged.
    /// </param>
    /// <param name="ranges">Who brings what; the same on every rank.</param>
    /// <param name="result">Written over: zeros when there are no leaves, undefined after a fault. None of <paramref name="mine"/>.</param>
    public void AllReduce(long round, IReadOnlyList<NodeSum> mine, LeafRanges ranges, FlatBuffer result)
    {
        Check(mine, ranges, result);
        ThrowIfEnded();
        if (ranges.LeafCount == 0) { result.Clear(); return; }

        Transport.AllReduce(round, mine, ranges, result);
        ThrowIfEnded();
    }

    /// <summary>
    /// The sum of one part of the vectors, over the connections even where memory is shared. All ranks call it for the same parts in the same
    /// order. Outside of the part, the vectors may be written meanwhile.
    /// </summary>
    /// <inheritdoc cref="AllReduce"/>
    public void AllReducePart(long round, IReadOnlyList<NodeSum> mine, LeafRanges ranges, FlatBuffer result, FlatRange part)
    {
        Check(mine, ranges, result);
        ThrowIfEnded();
        _sockets.AllReduce(round, mine, ranges, result, part);
        ThrowIfEnded();
    }

    /// <summary>
    /// A buffer to receive sums of this mesh: where memory is shared, the peers write straight into it (into any other, the sum
    /// is copied). Of the caller, who disposes it together with the mesh and does not use it with the next: a peer that was
    /// stopped may still write into it.
    /// </summary>
    public FlatBuffer CreateSum(long length, Device? device = null) => Transport.CreateSum(length, device);

    /// <summary>Copies the source's buffer into that of every other rank.</summary>
    public void Broadcast(long round, int source, FlatBuffer buffer) =>
        Broadcast(round, source, [.. Enumerable.Range(0, Size).Where(rank => rank != source)], buffer);

    /// <summary>
    /// Copies the source's buffer into those of the receivers. Ranks that are neither may call it too, and do nothing.
    /// </summary>
    /// <param name="receivers">The same set on source and receivers; without the source.</param>
    /// <param name="buffer">Same length on all; undefined on a receiver after a fault.</param>
    public void Broadcast(long round, int source, IReadOnlyCollection<int> receivers, FlatBuffer buffer)
    {
        ThrowIfEnded();
        var isReceiver = receivers.Contains(Rank);
        if (Rank != source && !isReceiver) { return; }
        if (receivers.Contains(source)) { throw new ArgumentException($"rank {source} is the source", nameof(receivers)); }

        var floats = (Rank == source ? _staging.Read(0, buffer) : _staging.Write(0, buffer)).Pointer;
        const int chunk = PipelinedAllReduce.ChunkLength;
        try
        {
            for (var at = 0L; at < buffer.Length; at += chunk)
            {
                var bytes = (int)Math.Min(chunk, buffer.Length - at) * sizeof(float);
                if (isReceiver) { _links[source]!.Receive(FrameKind.Broadcast, round, new Span<byte>(floats + at, bytes)); }
                else { foreach (var rank in receivers) { _links[rank]!.Enqueue(FrameKind.Broadcast, round, floats + at, bytes); } }
            }
        }
        finally
        {
            foreach (var link in _links) { link?.Flush(); }
        }

        ThrowIfEnded();
        if (isReceiver) { _staging.Finish(0, buffer); }
    }

    /// <summary>The ranks in a row, rank 0 first. Between <see cref="Chain.Begin"/> and <see cref="Chain.Finish"/> no collective is called.</summary>
    /// <param name="arriving">The lengths of a round's vectors from the rank before, in order: a pure function.</param>
    /// <param name="longestIn">Floats of the longest vector that comes.</param>
    /// <param name="longestOut">Floats of the longest one that goes.</param>
    public Chain CreateChain(Func<long, IReadOnlyList<long>> arriving, long longestIn, long longestOut) =>
        new(this, Rank > 0 ? _links[Rank - 1] : null, Rank < Size - 1 ? _links[Rank + 1] : null, arriving, longestIn, longestOut);

    /// <summary>Gives the mesh up, from any thread: whatever call is blocked, or comes later, throws with this reason.</summary>
    public void Abort(string reason) => Fail(new MeshFault(FaultKind.Aborted, null, reason));

    private ITransport Transport => _shared is { } shared ? shared : _sockets;

    private void ShareMemory()
    {
        var shared = Neighbours.Meet(_membership, _sockets, _links, () => Volatile.Read(ref _fault), Fail);
        lock (_gate)
        {
            _shared = shared;
            if (_fault is { } fault) { shared?.GiveUp(fault.Rank); }
        }
    }

    private void Check(IReadOnlyList<NodeSum> mine, LeafRanges ranges, FlatBuffer result)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(ranges.Ranks, Size);
        if (!mine.Select(n => n.Node).SequenceEqual(ranges.Nodes(Rank)))
        {
            throw new ArgumentException($"rank {Rank} brings {string.Join(", ", ranges.Nodes(Rank))}, not {string.Join(", ", mine.Select(n => n.Node))}", nameof(mine));
        }

        foreach (var (node, vector, _) in mine)
        {
            if (vector.Length != result.Length) { throw new ArgumentException($"node {node} has {vector.Length} elements, the result {result.Length}", nameof(mine)); }
            if (ReferenceEquals(vector, result)) { throw new ArgumentException($"node {node} would be written over by the result", nameof(result)); }
        }
    }

    private void Add(int rank, Socket socket)
    {
        var link = new PeerLink(socket, rank, _membership, Fail);
        link.Configure();
        lock (_gate)
        {
            _links[rank] = link;
            if (_fault is not null) { link.Close(); }
        }
    }

    /// <summary>Records the first fault, wakes everybody, and returns the exception for the caller to throw.</summary>
    private MeshFaultException Fail(MeshFault fault)
    {
        lock (_gate)
        {
            if (_fault is null)
            {
                _shared?.GiveUp(fault.Rank); // Before any call throws: its caller may then write what peers still read.
                _fault = fault;
                _ended.Cancel();
                foreach (var link in _links) { link?.Close(); }
            }

            return new MeshFaultException(_fault);
        }
    }

    private void ThrowIfEnded()
    {
        if (Volatile.Read(ref _fault) is { } fault) { throw new MeshFaultException(fault); }
    }

    /// <summary>Closes all connections; the peers see it as a fault if they still are in a collective.</summary>
    public void Dispose()
    {
        Abort("the mesh is disposed");
        _listener.Forget(_admission);
        foreach (var link in _links) { link?.Dispose(); }
        _shared?.Dispose();
        _sockets.Dispose();
        _staging.Dispose();
        _ended.Dispose();
    }
}
