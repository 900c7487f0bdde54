using System.Runtime.ExceptionServices;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// The all-reduce of one round, piece by piece from the end of the vectors, begun while this rank still computes their beginning: of a
/// network, the gradients of the last layers are on their way while those of the first ones are not there yet (PyTorch Distributed, Li et al.
/// 2020, section 3.2.3). The sum is elementwise, so its bits do not depend on the pieces.
/// </summary>
/// <remarks>
/// A thread of its own makes the calls to the mesh, and no other may until <see cref="Finish"/> returns. Pieces are the same on all ranks,
/// wherever each of them is with its computation.
/// </remarks>
internal sealed class ReduceAhead : IDisposable
{
    /// <summary>4 MiB: long beside the way to the peers and back, short beside the vectors for which it is worth it.</summary>
    public const long PieceLength = 1 << 20;

    private readonly Mesh _mesh;
    private readonly long _round, _piece;
    private readonly LeafRanges _ranges;
    private readonly FlatBuffer _sum;
    private readonly Thread _thread;

    private readonly object _gate = new(); // A Monitor, for its wait and pulse: guards the three fields after it.
    private IReadOnlyList<NodeSum> _nodes = [];
    private long _reached;
    private bool _isGivenUp;

    private ExceptionDispatchInfo? _failure;

    /// <param name="ranges">Over at least one leaf.</param>
    /// <param name="sum">As of <see cref="Mesh.AllReduce"/>.</param>
    /// <param name="piece">Floats, a multiple of <see cref="Layout.Alignment"/>; the last piece, at the beginning of the vectors, may be shorter.</param>
    public ReduceAhead(Mesh mesh, long round, LeafRanges ranges, FlatBuffer sum, long piece = PieceLength)
    {
        (_mesh, _round, _ranges, _sum, _piece, _reached) = (mesh, round, ranges, sum, piece, sum.Length);
        _thread = new Thread(Run) { Name = "reduce ahead", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Whether a vector is long enough; the same answer on every rank.</summary>
    public static bool IsWorthIt(long length, long piece) => length >= 2 * piece;

    /// <summary>This rank's sums are final from an offset on, and are not written there until <see cref="Finish"/> returns.</summary>
    public void Reach(IReadOnlyList<NodeSum> nodes, long offset)
    {
        lock (_gate)
        {
            (_nodes, _reached) = (nodes, offset);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>This rank's sums are all there: returns when the sum of all ranks is.</summary>
    /// <exception cref="MeshFaultException">A peer was lost or sent what it should not.</exception>
    public void Finish(IReadOnlyList<NodeSum> nodes)
    {
        Reach(nodes, 0);
        _thread.Join();
        _failure?.Throw();
    }

    private void Run()
    {
        try
        {
            for (var end = _sum.Length; end > 0;)
            {
                var begin = Math.Max(0, end - _piece);
                if (Await(begin) is not { } nodes) { return; }
                _mesh.AllReducePart(_round, nodes, _ranges, _sum, new FlatRange(begin, end - begin));
                end = begin;
            }
        }
        catch (Exception e) { _failure = ExceptionDispatchInfo.Capture(e); } // For the thread that waits for the sum.
    }

    /// <summary>Null when the round is given up.</summary>
    private IReadOnlyList<NodeSum>? Await(long offset)
    {
        lock (_gate)
        {
            while (_reached > offset && !_isGivenUp) { Monitor.Wait(_gate); }
            return _isGivenUp ? null : _nodes;
        }
    }

    /// <summary>Without a sum, where <see cref="Finish"/> has not returned: that ends the mesh, since the peers wait for the rest.</summary>
    public void Dispose()
    {
        if (!_thread.IsAlive) { return; }
        lock (_gate)
        {
            _isGivenUp = true;
            Monitor.PulseAll(_gate);
        }

        _mesh.Abort($"round {_round} was broken off");
        _thread.Join();
    }
}
