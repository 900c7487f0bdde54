using System.Collections.Immutable;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Methods;

/// <summary>
/// What LAMB, FedHyper, continual pre-training and data-parallel forward-forward share. A job is a sequence of rounds; a round
/// is an ordered list of leaves, chosen by spec and seed and never by the number of workers. Some worker computes each leaf's
/// contribution; the round loop adds the contributions in a canonical order; every worker applies the same update.
/// </summary>
/// <remarks>
/// All calls come from one training thread. A method holds the only copy of the model's state on its worker, and that state is
/// bit-identical on every worker between rounds: it is a function of the spec and of the sums passed to <see cref="Update"/>.
/// </remarks>
internal interface IRoundMethod : IDisposable
{
    /// <summary>How many rounds the job has.</summary>
    long Rounds { get; }

    /// <summary>Floats in one contribution.</summary>
    long ContributionLength { get; }

    /// <summary>The round's leaves in canonical order: a pure function of spec, seed and round.</summary>
    IReadOnlyList<Leaf> Leaves(long round);

    /// <summary>
    /// Writes the leaf's vector over <paramref name="into"/> ([<see cref="ContributionLength"/>], whatever it held before) and
    /// returns its scalars. Depends on the state before the round and on the leaf, not on leaves computed before it.
    /// </summary>
    Tally Contribute(long round, Leaf leaf, FlatBuffer into);

    /// <summary>
    /// Takes one step with the round's canonical sum. May write over <paramref name="sum"/>. A sum that is not finite, or of no
    /// weight, leaves the state as it is.
    /// </summary>
    RoundResult Update(long round, FlatBuffer sum, in Tally tally);

    /// <summary>The evaluation's leaves; like <see cref="Leaves"/>, but their contribution is scalars alone.</summary>
    IReadOnlyList<Leaf> EvaluationLeaves { get; }

    Tally Evaluate(Leaf leaf);

    /// <summary>Everything that must survive between rounds.</summary>
    MethodState State { get; }
}

/// <summary>
/// One unit of work of a round: items <paramref name="First"/> to First + <paramref name="Count"/> - 1 of what the method counts,
/// which is samples of the job's stream, or clients.
/// </summary>
/// <param name="Index">Position in the round's canonical order, from 0.</param>
internal readonly record struct Leaf(int Index, long First, int Count)
{
    /// <summary>Consecutive leaves of at most <paramref name="size"/> items; the last may be smaller.</summary>
    public static Leaf[] Cut(long items, int size, long first = 0)
    {
        var leaves = new Leaf[(items + size - 1) / size];
        for (var i = 0; i < leaves.Length; i++)
        {
            var offset = (long)i * size;
            leaves[i] = new Leaf(i, first + offset, (int)Math.Min(size, items - offset));
        }

        return leaves;
    }
}

/// <summary>What a round did.</summary>
/// <param name="Skipped">Why the state was left as it is, or null when the update was applied.</param>
internal sealed record RoundResult(double LearningRate, double GradientNorm, string? Skipped = null)
{
    /// <summary>What the method adds to the record of an applied round, by name: at most 60 finite numbers, names of at most 64 characters.</summary>
    public ImmutableDictionary<string, double> Values { get; init; } = ImmutableDictionary<string, double>.Empty;

    /// <summary>What a person should read, such as who was left out of an applied round and why. The same words on every rank.</summary>
    public ImmutableArray<string> Notices { get; init; } = [];
}
