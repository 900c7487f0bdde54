using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Methods;

namespace Cluster.Trainer.Rounds;

/// <summary>
/// The evaluation of a set is a round of scalars alone: every rank evaluates its leaves and tells all others the scalars of each, and all add
/// them over the same tree. A leaf whose site is away gives nothing, and nobody waits for it.
/// </summary>
internal static class EvaluationRound
{
    /// <summary>Leaves of a rank in one exchange: with the longest trouble some 43 kB of the 64 KiB that a gather takes.</summary>
    private const int LeavesAtOnce = 1024;

    /// <param name="round">Committed.</param>
    /// <param name="sites">By rank; null for a rank at no site.</param>
    /// <returns>The trouble is that of the lowest leaves, where a rank has one.</returns>
    /// <exception cref="MeshFaultException">A peer was lost or sent what it should not.</exception>
    public static (Evaluation Evaluation, string? Trouble) Run(IRoundMethod method, EvaluationSet set, Mesh mesh, long round, IReadOnlyList<string?> sites)
    {
        var ranges = SiteRanges.Of(set.Leaves, sites);
        var mine = ranges[mesh.Rank];
        var own = new Tally[mine.Count];
        for (var i = 0; i < own.Length; i++)
        {
            var leaf = set.Leaves[mine.First + i];
            if (!SiteRanges.IsAway(leaf, sites)) { own[i] = method.Evaluate(set, leaf); }
        }

        var (all, trouble) = Exchange(mesh, round, ranges, own, method.TakeTrouble());
        var fold = new CanonicalFold<Tally>(all.Length, (_, left, right) => left + right);
        foreach (var (i, tally) in all.Index()) { fold.Push(new Node(i, 1), tally); }
        return (new Evaluation(set.Name, fold.Total) { Values = set.ValuesOf?.Invoke(all) }, trouble);
    }

    /// <summary>Every leaf's scalars, on every rank.</summary>
    private static (Tally[] All, string? Trouble) Exchange(Mesh mesh, long round, LeafRanges ranges, Tally[] own, string? mine)
    {
        var all = new Tally[ranges.LeafCount];
        string? trouble = null;
        var most = ranges.Order.Max(rank => ranges[rank].Count);
        for (var from = 0; from < most; from += LeavesAtOnce)
        {
            var headers = mesh.Gather(round, RoundHeader.Write(default, [], [.. own.Skip(from).Take(LeavesAtOnce)], from == 0 ? mine : null));
            foreach (var rank in ranges.Order)
            {
                var run = ranges[rank];
                var due = Math.Clamp(run.Count - from, 0, LeavesAtOnce);
                var (_, itsTrouble, _, tallies) = RoundHeader.Read(headers[rank]);
                if (tallies.Length != due)
                {
                    throw new MeshFaultException(new MeshFault(FaultKind.Corrupt, rank, $"{tallies.Length} tallies for {due} leaves in the evaluation after round {round}"));
                }

                trouble ??= itsTrouble;
                tallies.CopyTo(all, due == 0 ? 0 : run.First + from);
            }
        }

        return (all, trouble);
    }
}
