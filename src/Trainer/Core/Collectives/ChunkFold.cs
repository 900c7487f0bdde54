using System.Runtime.InteropServices;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// Adds chunks of node sums, pushed in order of position, into a result, in canonical order. Operands of the caller are only
/// read; received chunks land in scratch memory, which is reused from chunk to chunk.
/// </summary>
/// <param name="chunkFloats">The longest chunk.</param>
internal sealed unsafe class ChunkFold(int chunkFloats) : IDisposable
{
    /// <param name="Floats">A float*, [count of the fold].</param>
    private readonly record struct Operand(nint Floats, bool IsScratch);

    private readonly Stack<nint> _free = [];
    private readonly List<nint> _allocated = [];
    private CanonicalFold<Operand> _fold = new(0, (_, left, _) => left);
    private int _leafCount, _count;
    private float* _result;

    /// <summary>Starts a sum over <paramref name="leafCount"/> leaves (at least 1) of <paramref name="count"/> floats each.</summary>
    public void Begin(int leafCount, float* result, int count)
    {
        foreach (var (_, operand) in _fold.Nodes) { Free(operand); } // Left over by a sum that a fault cut short.
        _fold.Clear();
        if (leafCount != _leafCount) { _fold = new CanonicalFold<Operand>(leafCount, Add); }
        _leafCount = leafCount;
        _result = result;
        _count = count;
    }

    /// <summary>Adds a node whose floats belong to the caller: they are not written.</summary>
    public void Push(Node node, float* floats) => _fold.Push(node, new Operand((nint)floats, IsScratch: false));

    /// <summary>Memory for a node that is received; push it next.</summary>
    public float* Scratch() => (float*)Take();

    public void PushScratch(Node node, float* floats) => _fold.Push(node, new Operand((nint)floats, IsScratch: true));

    /// <summary>Ends the sum: it is in the result.</summary>
    public void End()
    {
        var total = _fold.Total;
        if ((float*)total.Floats != _result) // One node was everything: nothing was added.
        {
            new ReadOnlySpan<float>((void*)total.Floats, _count).CopyTo(new Span<float>(_result, _count));
            Free(total);
        }

        _fold.Clear();
    }

    private Operand Add(Node node, Operand left, Operand right)
    {
        var sum = node.Count == _leafCount ? new Operand((nint)_result, IsScratch: false)
            : left.IsScratch ? left
            : right.IsScratch ? right
            : new Operand(Take(), IsScratch: true);
        FloatSum.Add((float*)left.Floats, (float*)right.Floats, (float*)sum.Floats, _count);
        if (left != sum) { Free(left); }
        if (right != sum) { Free(right); }
        return sum;
    }

    private nint Take()
    {
        if (_free.TryPop(out var chunk)) { return chunk; }
        chunk = (nint)NativeMemory.AlignedAlloc((nuint)chunkFloats * sizeof(float), 64);
        _allocated.Add(chunk);
        return chunk;
    }

    private void Free(Operand operand)
    {
        if (operand.IsScratch) { _free.Push(operand.Floats); }
    }

    public void Dispose()
    {
        foreach (var chunk in _allocated) { NativeMemory.AlignedFree((void*)chunk); }
        _allocated.Clear();
        _free.Clear();
    }
}
