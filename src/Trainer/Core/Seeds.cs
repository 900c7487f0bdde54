namespace Cluster.Trainer.Core;

/// <summary>
/// All chance of a job, as pure functions of its seed: the same numbers on any worker, in any order, after any restart.
/// </summary>
internal static class Seeds
{
    /// <summary>SplitMix64's finaliser (Steele, Lea and Flood 2014): a bijection on 64 bits that mixes every bit into every other.</summary>
    public static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    /// <summary>An independent stream for each tuple of (seed, purpose, a, b).</summary>
    public static ulong Derive(long seed, SeedPurpose purpose, long a = 0, long b = 0) =>
        Mix(Mix(Mix(Mix((ulong)seed) ^ (ulong)purpose) ^ (ulong)a) ^ (ulong)b);
}

/// <summary>What a stream of random numbers is for. Values are part of every job's answer: never renumber.</summary>
internal enum SeedPurpose
{
    None = 0,
    InitialWeights = 1,
    Shuffle = 2,
    Leaf = 3,
    Masking = 4,

    // Forward-forward: negatives, graphs, black boxes.
    WrongLabel = 10,
    HybridPartner = 11,
    HybridMask = 12,
    VirtualNodes = 13,
    EdgeSplit = 14,
    BlackBox = 15,
    BoxNoise = 16,
    GoodnessDirection = 17,

    // Federated: who holds what, who takes part, and in which order a client sees its samples.
    PartitionOrder = 20,
    PartitionShares = 21,
    ClientOrder = 22,
    ClientSampling = 23,
    LocalOrder = 24,
    LocalStep = 25,
    HeldBack = 26,

    // Continual pre-training.
    StageShuffle = 41,
    Replay = 42,
    Branch = 43,
    Generation = 44,
}

/// <summary>A small generator for code of our own (torch has its own): SplitMix64 over a derived seed.</summary>
internal struct SeededRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong NextUInt64()
    {
        var value = Seeds.Mix(_state);
        _state += 0x9E3779B97F4A7C15;
        return value;
    }

    /// <summary>In [0, 1), 53 bits.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>In [0, bound), by multiplication (bias below 2^-32 for bounds under 2^32).</summary>
    public int NextInt(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (int)(((NextUInt64() >> 32) * (ulong)bound) >> 32);
    }
}
