using System.Collections.Immutable;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Lineage;
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
    /// <summary>
    /// How many rounds the job has. A method that sees by itself when it is done has an upper bound here, and lowers it to the
    /// rounds committed once it is: a function of its state, so all workers end alike.
    /// </summary>
    long Rounds { get; }

    /// <summary>Floats in one contribution.</summary>
    long ContributionLength { get; }

    /// <summary>
    /// The round's leaves in canonical order: a pure function of spec, seed and round. A round without leaves has nothing to add:
    /// <see cref="Update"/> gets an empty sum, and changes the state as the method says.
    /// </summary>
    IReadOnlyList<Leaf> Leaves(long round);

    /// <summary>
    /// Writes the leaf's vector over <paramref name="into"/> ([<see cref="ContributionLength"/>], whatever it held before) and
    /// returns its scalars. Depends on the state before the round and on the leaf, not on leaves computed before it. A leaf that
    /// gives the round nothing, because that was decided or because it was late, writes that down and returns a tally without leaves.
    /// </summary>
    Tally Contribute(long round, Leaf leaf, FlatBuffer into);

    /// <summary>Whether a contribution is final at its end before it is at its beginning, so that adding up may begin there.</summary>
    bool ContributesFromTheEnd => false;

    /// <summary>As the other one.</summary>
    /// <param name="finished">Called with falling offsets: from there on, <paramref name="into"/> is final. Not called with 0: that is the return.</param>
    Tally Contribute(long round, Leaf leaf, FlatBuffer into, Action<long> finished) => Contribute(round, leaf, into);

    /// <summary>
    /// Why a contribution or evaluation of this worker since the last call has a loss that is not a number, where the reason lies outside
    /// of the state, as with a device that does not answer; null otherwise. What one worker says here, all tell the user.
    /// </summary>
    string? TakeTrouble() => null;

    /// <summary>
    /// Takes one step with the round's canonical sum. May write over <paramref name="sum"/>. A sum that is not finite, or of no
    /// weight, leaves the state as it is.
    /// </summary>
    RoundResult Update(long round, FlatBuffer sum, in Tally tally);

    /// <summary>What an evaluation measures: at least one data set, which stands first. An evaluation of a set is a round of scalars alone.</summary>
    IReadOnlyList<EvaluationSet> EvaluationSets { get; }

    /// <summary>Depends on the state, the set and the leaf alone. A leaf of a site is asked for at that site alone.</summary>
    Tally Evaluate(EvaluationSet set, Leaf leaf);

    /// <summary>Whether all sets are evaluated after so many committed rounds (0 to <see cref="Rounds"/>), beside those that the spec asks for.</summary>
    bool IsEvaluatedAfter(long round) => round == Rounds;

    /// <summary>
    /// What the state after so many committed rounds is, for jobs with more than one line of states; null where checkpoints
    /// simply follow one another. A milestone among them is evaluated, and kept with what the evaluation gave.
    /// </summary>
    LineageNode? NodeAfter(long round) => null;

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
    /// <summary>Who it is to people, where a leaf is somebody.</summary>
    public string? Name { get; init; }

    /// <summary>The site that alone has its data; null where any worker can compute it.</summary>
    public string? Site { get; init; }

    /// <summary>It was decided that it gives nothing.</summary>
    public AbsenceKind Absence { get; init; }

    /// <summary>It may be late. A leaf of a round that was computed before may not: it takes whatever it needs.</summary>
    public bool HasDeadline { get; init; }

    /// <summary>Consecutive leaves of at most <paramref name="size"/> items; the last may be smaller.</summary>
    /// <param name="first">Where the items begin.</param>
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

/// <summary>One data set to evaluate on.</summary>
/// <param name="Name">Unique in the job; empty where there is only one.</param>
/// <param name="Leaves">In canonical order.</param>
internal sealed record EvaluationSet(string Name, IReadOnlyList<Leaf> Leaves)
{
    public const int LeafSize = 256;

    /// <summary>
    /// Makes of the leaves' results, in their order, what the record says of the set by name: for a set whose leaves are somebody each. An
    /// absent one's result is of no leaf. Null where only the sum counts.
    /// </summary>
    public Func<IReadOnlyList<Tally>, ImmutableDictionary<string, double>>? ValuesOf { get; init; }

    /// <summary>The first so many samples of a data set.</summary>
    /// <param name="count">Samples there are.</param>
    /// <param name="limit">At most so many are evaluated.</param>
    public static EvaluationSet Of(string name, long count, long? limit) => new(name, Leaf.Cut(Math.Min(count, limit ?? long.MaxValue), LeafSize));
}

/// <summary>What evaluating one set gave.</summary>
internal readonly record struct Evaluation(string Set, Tally Tally)
{
    /// <summary>What the record says of it instead of the mean, by name; null where the mean is all. Such a set has no part in the mean over sets.</summary>
    public ImmutableDictionary<string, double>? Values { get; init; }
}

/// <summary>What a round did.</summary>
/// <param name="Skipped">Why the state was left as it is, or null when the update was applied.</param>
internal sealed record RoundResult(double LearningRate, double GradientNorm, string? Skipped = null)
{
    /// <summary>What the method adds to the record of an applied round, by name: at most 50 finite numbers, names of at most 96 characters.</summary>
    public ImmutableDictionary<string, double> Values { get; init; } = ImmutableDictionary<string, double>.Empty;

    /// <summary>What a person should read, such as who was left out of an applied round and why. The same words on every rank.</summary>
    public ImmutableArray<string> Notices { get; init; } = [];

    /// <summary>Where leaves are clients, what each gave the round, as far as the record keeps it; null elsewhere.</summary>
    public ImmutableArray<ClientPart>? Clients { get; init; }
}
