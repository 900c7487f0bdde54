using Cluster.Trainer.Core.Native;

namespace Cluster.Trainer.Core.Collectives.Shared;

/// <summary>
/// One rank's notice board in one generation: memory that this rank alone writes and its peers map read-only. Counters only
/// grow (modulo 2^32); each has a cache line of its own.
/// </summary>
/// <remarks>
/// That nobody writes another's board, and that a board serves one mesh alone, is what fences the generations: a process that
/// was stopped and wakes up in an old generation finds nothing to write that anybody still reads.
/// </remarks>
/// <param name="start">Page-aligned, [<see cref="Bytes"/>], zeros at first.</param>
internal readonly unsafe struct Board(byte* start)
{
    /// <summary>The longest posting, header included.</summary>
    public const int SlotBytes = 68 << 10;

    public const int Bytes = Page + 2 * SlotBytes;

    private const int Page = 4096;

    /// <summary>Collectives that the rank has begun; a futex word.</summary>
    public uint* Posted => (uint*)(start);

    /// <summary>Large all-reduces for which it has written its slice of everybody's result; a futex word.</summary>
    public uint* Finished => (uint*)(start + 64);

    /// <summary>Grows as the rank adds up its slice: it is alive.</summary>
    public uint* Progress => (uint*)(start + 128);

    /// <summary>0 while the rank takes part; then for good 1, or 2 + the rank that it lost.</summary>
    public uint* GaveUp => (uint*)(start + 192);

    /// <summary>
    /// Where the posting of a collective lies: a <see cref="FrameHeader"/>, then its payload. Two slots are enough: a rank
    /// posts n + 2 after all have posted n + 1, and whoever has posted n + 1 has read everything of n.
    /// </summary>
    public byte* Slot(uint sequence) => start + Page + (sequence & 1) * SlotBytes;

    /// <summary>Sets one of this rank's futex words, and wakes who waits for it. All that was read or written before comes before.</summary>
    public void Raise(uint* word, uint value)
    {
        Interlocked.MemoryBarrier(); // Also for stores past the caches, which a plain release does not order.
        Volatile.Write(ref *word, value);
        Futex.Wake(word);
    }
}
