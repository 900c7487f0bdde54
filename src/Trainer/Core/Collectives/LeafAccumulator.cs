using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>A worker's contribution to a round: the sum over one node of the canonical tree.</summary>
/// <param name="Vector">Owned by the accumulator that made it.</param>
internal readonly record struct NodeSum(Node Node, FlatBuffer Vector, Tally Tally);

/// <summary>
/// Adds the leaves of one worker's run as they are computed, in canonical order. For each leaf: write its vector into
/// <see cref="Next"/>, then <see cref="Commit"/>. After the run, <see cref="Nodes"/> are the sums that go into the reduction.
/// </summary>
/// <remarks>
/// Holds as many vectors as a binary counter has digits, plus the one being written, and keeps them from round to round.
/// Not thread-safe: the training thread owns it.
/// </remarks>
/// <param name="allocate">Makes one vector; all have the same length and device.</param>
internal sealed class LeafAccumulator(Func<FlatBuffer> allocate) : IDisposable
{
    private readonly Stack<FlatBuffer> _free = [];
    private CanonicalFold<(FlatBuffer Vector, Tally Tally)> _fold = new(0, (_, left, _) => left);
    private FlatBuffer? _next;
    private Node _run;
    private int _committed, _leafCount;
    private long _tail; // From here on the leaf being written, or committed last, is added already.

    /// <summary>Vectors allocated so far.</summary>
    public int BufferCount { get; private set; }

    /// <summary>Starts a round: the vectors of the round before are taken back and written over.</summary>
    /// <param name="run">This worker's leaves; may be empty.</param>
    /// <param name="leafCount">Leaves of the round, on all workers.</param>
    public void Begin(Node run, int leafCount)
    {
        foreach (var (_, (vector, _)) in _fold.Nodes) { _free.Push(vector); }

        _fold = new CanonicalFold<(FlatBuffer, Tally)>(leafCount, Add);
        (_run, _leafCount, _committed, _tail) = (run, leafCount, 0, _next?.Length ?? 0);
    }

    /// <summary>Where the next leaf's vector goes; holds old numbers. The same buffer until it is committed.</summary>
    /// <exception cref="InvalidOperationException">All leaves of the run are committed.</exception>
    public FlatBuffer Next()
    {
        if (_committed == _run.Count) { throw new InvalidOperationException($"all leaves of {_run} are committed"); }
        if (_next is null)
        {
            _next = Take();
            _tail = _next.Length;
        }

        return _next;
    }

    /// <summary>
    /// Adds what is new of the last leaf of the run, which is being written and is final from this offset on, as <see cref="Commit"/> would.
    /// </summary>
    /// <returns>What <see cref="Nodes"/> will be, without scalars; its sums are there from the offset on.</returns>
    public IReadOnlyList<NodeSum> AddTail(long offset)
    {
        if (_next is null || _committed != _run.Count - 1) { throw new InvalidOperationException($"the last leaf of {_run} is not being written"); }
        var part = new FlatRange(offset, Math.Max(0, _tail - offset));
        var fold = new CanonicalFold<FlatBuffer>(_leafCount, (_, left, right) =>
        {
            FloatSum.Add(left, right, part);
            return left;
        });
        foreach (var (node, (vector, _)) in _fold.Nodes) { fold.Push(node, vector); }
        fold.Push(new Node(_run.First + _committed, 1), _next);
        _tail = Math.Min(_tail, offset);
        return [.. fold.Nodes.Select(n => new NodeSum(n.Node, n.Value, default))];
    }

    /// <summary>Adds the leaf whose vector was written into <see cref="Next"/>.</summary>
    public void Commit(in Tally tally)
    {
        var vector = _next ?? throw new InvalidOperationException("no leaf was begun");
        _next = null;
        _fold.Push(new Node(_run.First + _committed, 1), (vector, tally));
        _committed++;
    }

    /// <summary>The sums that cover the run, in order of position; valid until the next <see cref="Begin"/>.</summary>
    /// <exception cref="InvalidOperationException">Leaves of the run are missing.</exception>
    public IReadOnlyList<NodeSum> Nodes => _committed == _run.Count
        ? [.. _fold.Nodes.Select(n => new NodeSum(n.Node, n.Value.Vector, n.Value.Tally))]
        : throw new InvalidOperationException($"{_committed} of the {_run.Count} leaves of {_run} are committed");

    private (FlatBuffer, Tally) Add(Node node, (FlatBuffer Vector, Tally Tally) left, (FlatBuffer Vector, Tally Tally) right)
    {
        FloatSum.Add(left.Vector, right.Vector, new FlatRange(0, _tail));
        _free.Push(right.Vector);
        return (left.Vector, left.Tally + right.Tally);
    }

    private FlatBuffer Take()
    {
        if (_free.TryPop(out var vector)) { return vector; }
        BufferCount++;
        return allocate();
    }

    public void Dispose()
    {
        foreach (var (_, (vector, _)) in _fold.Nodes) { vector.Dispose(); }
        foreach (var vector in _free) { vector.Dispose(); }
        _fold.Clear();
        _free.Clear();
        _next?.Dispose();
        _next = null;
    }
}
