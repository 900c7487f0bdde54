using Cluster.Trainer.Core;
using Cluster.Trainer.Methods;

namespace Cluster.Trainer.Rounds;

/// <summary>Hears what the loop does, on the training thread, between rounds. Must return quickly and not throw.</summary>
internal interface IRoundObserver
{
    /// <summary>The rank has the newest committed state and goes on from it.</summary>
    void Began(RoundCounters counters);

    void LeavesComputed(int count);

    /// <summary>A round is committed, applied or skipped. The method's state may be copied now.</summary>
    void Committed(RoundCounters counters, in Tally tally, RoundResult result, in RoundTimes times);

    /// <summary>All sets, in the order of the method. The method's state may be copied now.</summary>
    /// <param name="took">Of all sets, waiting for the other ranks included.</param>
    void Evaluated(RoundCounters counters, IReadOnlyList<Evaluation> evaluations, TimeSpan took);
}
