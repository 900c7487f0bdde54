using Cluster.Trainer.Core;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;

namespace Cluster.Tests.Rounds;

/// <summary>Looks at a run where it is evaluated, and nowhere else.</summary>
internal sealed class EvaluationListener(Action<RoundCounters, IReadOnlyList<Evaluation>> evaluated) : IRoundObserver
{
    public void Began(RoundCounters counters) { }

    public void LeavesComputed(int count) { }

    public void Committed(RoundCounters counters, in Tally tally, RoundResult result, in RoundTimes times) { }

    public void Evaluated(RoundCounters counters, IReadOnlyList<Evaluation> evaluations, TimeSpan took) => evaluated(counters, evaluations);
}
