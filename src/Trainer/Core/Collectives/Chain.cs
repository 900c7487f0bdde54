using System.Runtime.InteropServices;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// The ranks of a mesh in a row: each takes vectors from the rank before it and hands vectors to the rank after it, round by round, as a
/// pipeline does. Ranks may be in different rounds; the first one says which is the last.
/// </summary>
/// <remarks>
/// <code>
///   rank 0  -- vector, vector, ..., end of round -->  rank 1  -- vector, ... -->  rank 2
///           &lt;-- credit ----------------------------           &lt;-- credit ----
/// </code>
/// <para>Between two ranks there are at most <see cref="Depth"/> vectors that are not used up; a rank that is further ahead waits. A credit
/// is a frame of one byte, which says that a vector was used up and whether an end is wished. Nothing else goes against the
/// direction.</para>
/// <para>Order decides everything and time nothing: a rank sees the same vectors in the same order whoever is fast. Everything goes over
/// the mesh's connections, framed and checked as the collectives are; a fault on either side ends the mesh. The training thread makes
/// all calls; a thread of its own receives, so that a rank that is busy is no lost one to the rank before it.</para>
/// </remarks>
internal sealed unsafe class Chain : IDisposable
{
    /// <summary>Vectors between two ranks.</summary>
    public const int Depth = 4;

    /// <summary>A credit on the wire.</summary>
    public const int CreditBytes = FrameHeader.Size + 1;

    private readonly Mesh _mesh;
    private readonly PeerLink? _before;
    private readonly PeerLink? _after;
    private readonly Func<long, IReadOnlyList<long>> _arriving;
    private readonly FlatBuffer[] _in;
    private readonly FlatBuffer[] _out;
    private readonly FlatBuffer _marks = new(16); // First byte: another round follows. Second: none does.

    private readonly object _gate = new(); // A Monitor, for its wait and pulse: guards the five fields after it.
    private readonly Queue<bool> _ends = new();
    private long _arrived, _released;
    private MeshFaultException? _fault;
    private Exception? _unexpected;

    private readonly Queue<long> _outstanding = new(); // Rounds of the vectors handed on and not yet used up.
    private Thread? _reader;
    private long _taken, _sent, _round, _sentBefore, _credits;
    private bool _isClosed;

    /// <param name="before">Null on the first rank.</param>
    /// <param name="after">Null on the last.</param>
    /// <param name="arriving">The lengths of a round's vectors from the rank before, in order: a pure function.</param>
    /// <param name="longestIn">Floats of the longest vector that comes.</param>
    /// <param name="longestOut">Floats of the longest one that goes.</param>
    public Chain(Mesh mesh, PeerLink? before, PeerLink? after, Func<long, IReadOnlyList<long>> arriving, long longestIn, long longestOut)
    {
        (_mesh, _before, _after, _arriving) = (mesh, before, after, arriving);
        _in = before is null ? [] : [.. Enumerable.Range(0, Depth).Select(_ => new FlatBuffer(longestIn))];
        _out = after is null ? [] : [.. Enumerable.Range(0, Depth).Select(_ => new FlatBuffer(longestOut))];
        MemoryMarshal.AsBytes(_marks.Span)[1] = 1;
    }

    public bool IsFirst => _before is null;

    public bool IsLast => _after is null;

    /// <summary>Whether this rank, or one after it that has said so, wishes that the next end of a round is the last.</summary>
    public bool WishesEnd { get; set; }

    /// <summary>Vectors handed on, as of now, and not yet used up by the rank after.</summary>
    public int Waiting
    {
        get
        {
            TakeCredits(atMost: Depth);
            return _outstanding.Count;
        }
    }

    /// <summary>Bytes of vectors handed on, with their headers, since <see cref="Begin"/>.</summary>
    public long BytesUp { get; private set; }

    /// <summary>Bytes sent to the rank before, credits not counted, since <see cref="Begin"/>. Nothing but credits is ever sent there.</summary>
    public long BytesDown => _before is null ? 0 : _before.BytesSent - _sentBefore - (_credits * CreditBytes);

    /// <summary>Begins with a round, the same on all ranks.</summary>
    public void Begin(long round)
    {
        (_round, WishesEnd, BytesUp, _credits, _sentBefore) = (round, false, 0, 0, _before?.BytesSent ?? 0);
        (_arrived, _released, _taken) = (0, 0, 0);
        if (_before is null) { return; }
        _reader = new Thread(() => Receive(round)) { Name = $"chain receive {_before.Rank}", IsBackground = true };
        _reader.Start();
    }

    /// <summary>The next vector from the rank before. Stays until <see cref="Release"/>.</summary>
    public FlatBuffer Take()
    {
        Await(() => _arrived > _taken);
        return _in[_taken++ % Depth];
    }

    /// <summary>The vector that was taken is used up.</summary>
    public void Release()
    {
        lock (_gate)
        {
            _released++;
            Monitor.PulseAll(_gate);
        }

        Span<byte> frame = stackalloc byte[CreditBytes];
        frame[^1] = WishesEnd ? (byte)1 : (byte)0;
        _before!.Send(FrameKind.Credit, _round, frame, FrameHeader.HashOf(frame[FrameHeader.Size..]));
        _credits++;
    }

    /// <summary>Where the next vector to the rank after goes; waits until there is room.</summary>
    public FlatBuffer Next()
    {
        TakeCredits(atMost: Depth);
        while (_outstanding.Count == Depth) { TakeCredit(); }
        return _out[_sent % Depth];
    }

    /// <summary>Hands on what was written to <see cref="Next"/>.</summary>
    /// <param name="length">Floats.</param>
    public void HandOn(long length)
    {
        var bytes = checked((int)(length * sizeof(float)));
        _after!.Enqueue(FrameKind.Vector, _round, _out[_sent++ % Depth].Pointer, bytes);
        _outstanding.Enqueue(_round);
        BytesUp += FrameHeader.Size + bytes;
    }

    /// <summary>This rank has handed on all of its round.</summary>
    /// <param name="isLast">What the first rank says; the others hear it.</param>
    /// <returns>Whether it was the last round.</returns>
    public bool EndRound(bool isLast)
    {
        if (!IsFirst)
        {
            Await(() => _ends.Count > 0);
            lock (_gate) { isLast = _ends.Dequeue(); }
        }

        _after?.Enqueue(FrameKind.EndOfRound, _round, (byte*)_marks.Pointer + (isLast ? 1 : 0), 1);
        _round++;
        return isLast;
    }

    /// <summary>After the last round: returns when the rank after has used up everything.</summary>
    public void Finish()
    {
        while (_outstanding.Count > 0) { TakeCredit(); }
        _after?.Flush();
        _reader?.Join();
        _reader = null;
    }

    private void Await(Func<bool> come)
    {
        lock (_gate)
        {
            while (!come())
            {
                if (_fault is not null) { throw new MeshFaultException(_fault.Fault); }
                if (_unexpected is not null) { throw new InvalidOperationException($"receiving from rank {_before!.Rank} broke off", _unexpected); }
                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>Those that have come already.</summary>
    private void TakeCredits(int atMost)
    {
        for (var i = 0; i < atMost && _outstanding.Count > 0 && _after!.HasArrived(CreditBytes); i++) { TakeCredit(); }
    }

    private void TakeCredit()
    {
        Span<byte> wish = [0];
        _after!.Receive(FrameKind.Credit, _outstanding.Dequeue(), wish);
        WishesEnd |= wish[0] != 0;
    }

    /// <summary>The thread that receives: as far ahead as there is room.</summary>
    private void Receive(long round)
    {
        try
        {
            for (; ; round++)
            {
                foreach (var length in _arriving(round))
                {
                    if (Room() is not { } place) { return; }
                    _before!.Receive(FrameKind.Vector, round, new Span<byte>(place.Pointer, checked((int)(length * sizeof(float)))));
                    lock (_gate)
                    {
                        _arrived++;
                        Monitor.PulseAll(_gate);
                    }
                }

                Span<byte> end = [0];
                _before!.Receive(FrameKind.EndOfRound, round, end);
                lock (_gate)
                {
                    _ends.Enqueue(end[0] != 0);
                    Monitor.PulseAll(_gate);
                }

                if (end[0] != 0) { return; }
            }
        }
        catch (MeshFaultException fault)
        {
            lock (_gate)
            {
                _fault = fault;
                Monitor.PulseAll(_gate);
            }
        }
        catch (Exception unexpected)
        {
            lock (_gate)
            {
                _unexpected = unexpected; // For the training thread, which throws it.
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>Null once the chain is given up.</summary>
    private FlatBuffer? Room()
    {
        lock (_gate)
        {
            while (_arrived - _released == Depth && !_isClosed) { Monitor.Wait(_gate); }
            return _isClosed ? null : _in[_arrived % Depth];
        }
    }

    /// <summary>In the middle of a round it gives the mesh up: the other ranks would wait for what does not come.</summary>
    public void Dispose()
    {
        if (_reader is not null || _outstanding.Count > 0) { _mesh.Abort("this rank has left the chain"); }
        lock (_gate)
        {
            _isClosed = true;
            Monitor.PulseAll(_gate);
        }

        _reader?.Join();
        _after?.Flush();
        foreach (var buffer in _in.Concat(_out).Append(_marks)) { buffer.Dispose(); }
    }
}
