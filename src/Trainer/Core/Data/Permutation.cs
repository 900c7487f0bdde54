using System.Numerics;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// A shuffle of 0 .. <see cref="Count"/> - 1 that is never written down: any element is computed alone, from the key.
/// </summary>
/// <remarks>
/// <para>An alternating (unbalanced) Feistel network (Luby and Rackoff 1988; Schneier and Kelsey 1996) on b bits, with b the
/// least that counts to Count - 1. The low half is changed by a function of the high half and the other way round; each such
/// step is undone by itself, so the network is a bijection of [0, 2^b) whatever the function is. Ours is SplitMix64's mixer of
/// (key, step, half). Results outside [0, Count) are sent through again until they fall inside (cycle walking, Black and
/// Rogaway 2002), which keeps it a bijection, of [0, Count). Since 2^b &lt; 2 Count that takes fewer than two passes on average.</para>
/// <para>Luby and Rackoff need 4 steps at large b. The 24 are for tiny Count, where few steps reach the possible orders unevenly:
/// over all orders of five, chi-square per degree of freedom is 87 with 8 steps, 9.5 with 12, and 1 (chance) with 24.
/// The numbers are part of every job's answer: never change steps or mixing.</para>
/// </remarks>
internal readonly struct Permutation
{
    private const int Steps = 24;

    private readonly ulong _key;
    private readonly int _lowBits;
    private readonly ulong _lowMask;
    private readonly ulong _highMask;

    public Permutation(ulong key, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        var bits = 64 - BitOperations.LeadingZeroCount((ulong)(count - 1));
        Count = count;
        _key = key;
        _lowBits = (bits + 1) / 2;
        _lowMask = (1UL << _lowBits) - 1;
        _highMask = (1UL << (bits - _lowBits)) - 1;
    }

    public long Count { get; }

    /// <summary>The element at this place of the shuffled order.</summary>
    public long this[long index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            var x = (ulong)index;
            do { x = Pass(x); } while (x >= (ulong)Count);
            return (long)x;
        }
    }

    private ulong Pass(ulong x)
    {
        var low = x & _lowMask;
        var high = x >> _lowBits;
        for (var step = 0UL; step < Steps; step += 2)
        {
            low ^= Mixed(step, high) & _lowMask;
            high ^= Mixed(step + 1, low) & _highMask;
        }

        return high << _lowBits | low;
    }

    /// <summary>A half has at most 32 bits, so the step number fits above it.</summary>
    private ulong Mixed(ulong step, ulong half) => Seeds.Mix(_key ^ (step << 32 | half));
}
