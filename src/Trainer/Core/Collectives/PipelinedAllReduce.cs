namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// All-reduce of large vectors: a reduce-scatter, in which every rank adds up its own slice of the elements in canonical order,
/// overlapped with an all-gather of the finished slices. Moves 2 (R - 1) / R of the vector in each direction when every rank
/// brings one node, the least that an all-reduce can (Patarasu and Yuan 2009).
/// </summary>
/// <remarks>
/// <para>In step t a rank receives chunk t of its slice from everybody and adds it up, then receives the others' finished
/// chunks t - <see cref="Lag"/>. For each peer it queues chunk t + Lag of that peer's slice, then its own result t. No frame
/// waits for one of a later step, so there is no deadlock, and a result is sent while it is still in the cache.</para>
/// <para>The queues stay short without a bound: a peer's result t proves that it has our chunk t, so that at most about
/// 2 Lag steps are queued.</para>
/// </remarks>
/// <param name="links">By rank; null for this one.</param>
internal sealed unsafe class PipelinedAllReduce(int self, PeerLink?[] links) : IDisposable
{
    /// <summary>512 KiB: large enough to hide the calls, small enough that sum and operands fit a cache of a core.</summary>
    public const int ChunkLength = (512 << 10) / sizeof(float);

    private const int Lag = 2;

    private readonly ChunkFold _fold = new(ChunkLength);

    /// <param name="mine">This rank's node sums (float*, [length]) in order of position.</param>
    /// <param name="ranges">Over at least one leaf.</param>
    public void Run(long round, ReadOnlySpan<nint> mine, LeafRanges ranges, float* result, long length)
    {
        var slices = new Slices(length, ranges.Ranks, ChunkLength);
        var steps = 0;
        for (var rank = 0; rank < ranges.Ranks; rank++) { steps = Math.Max(steps, slices.ChunkCount(rank)); }

        for (var step = -Lag; step < steps + Lag; step++)
        {
            QueuePartials(round, mine, slices, step + Lag);
            ReduceOwn(round, mine, ranges, slices, step, result);
            ReceiveResults(round, slices, step - Lag, result);
        }
    }

    private void QueuePartials(long round, ReadOnlySpan<nint> mine, Slices slices, int step)
    {
        foreach (var link in links)
        {
            if (link is null) { continue; }
            var (offset, count) = slices.Chunk(link.Rank, step);
            if (count == 0) { continue; }
            foreach (var vector in mine) { link.Enqueue(FrameKind.Partial, round, (float*)vector + offset, count * sizeof(float)); }
        }
    }

    private void ReduceOwn(long round, ReadOnlySpan<nint> mine, LeafRanges ranges, Slices slices, int step, float* result)
    {
        var (offset, count) = slices.Chunk(self, step);
        if (count == 0) { return; }

        _fold.Begin(ranges.LeafCount, result + offset, count);
        foreach (var rank in ranges.Order)
        {
            var nodes = ranges.Nodes(rank);
            for (var n = 0; n < nodes.Count; n++)
            {
                if (links[rank] is { } link)
                {
                    var scratch = _fold.Scratch();
                    link.Receive(FrameKind.Partial, round, new Span<byte>(scratch, count * sizeof(float)));
                    _fold.PushScratch(nodes[n], scratch);
                }
                else { _fold.Push(nodes[n], (float*)mine[n] + offset); }
            }
        }

        _fold.End();
        var hash = FrameHeader.HashOf(new ReadOnlySpan<byte>(result + offset, count * sizeof(float))); // Once, for all peers.
        foreach (var link in links) { link?.Enqueue(FrameKind.Result, round, result + offset, count * sizeof(float), hash); }
    }

    private void ReceiveResults(long round, Slices slices, int step, float* result)
    {
        foreach (var link in links)
        {
            if (link is null) { continue; }
            var (offset, count) = slices.Chunk(link.Rank, step);
            if (count > 0) { link.Receive(FrameKind.Result, round, new Span<byte>(result + offset, count * sizeof(float))); }
        }
    }

    public void Dispose() => _fold.Dispose();
}
