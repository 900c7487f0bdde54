using System.Numerics;

namespace Cluster.Trainer.Worker;

/// <summary>
/// Which rounds have spans. A function of the round's number alone, so that all ranks trace the same rounds and a trace shows them side
/// by side; and ever fewer of them: all of the first 64, then 32 while the number doubles. 100,000 rounds have 400 with spans.
/// </summary>
internal static class RoundSampling
{
    private const int Bits = 5;

    /// <param name="round">Rounds committed, this one included; from 1.</param>
    public static bool IsTraced(long round)
    {
        var step = 1L << Math.Max(0, BitOperations.Log2((ulong)round) - Bits);
        return round % step == 0;
    }
}
