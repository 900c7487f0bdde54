using System.Collections.Immutable;
using Cluster.Contracts.Federation;

namespace Cluster.Trainer.Rounds;

/// <summary>
/// What the loop knows of a generation beside its mesh: which rank is at which site, and what was decided about rounds that some
/// clients missed. Called on the training thread; blocks for a few seconds at most.
/// </summary>
internal interface IRoundCrew
{
    /// <summary>By rank; null for a rank that is at none.</summary>
    IReadOnlyList<string?> Sites { get; }

    /// <summary>On rank 0: what is known of the rounds from this one on. Null where nobody answers: ask again.</summary>
    PastRounds? TryRead(long round);

    /// <summary>On rank 0: keeps who is missing from the round, durably. False where nobody answers: ask again.</summary>
    /// <exception cref="Core.Collectives.MeshFaultException">The generation is dead, and must not commit.</exception>
    bool TryRecord(long round, ImmutableArray<Absence> absences, bool isRevision);

    /// <summary>Returns when there may be news of the generation, after a moment at the latest.</summary>
    void AwaitNews();

    void Notice(string text);
}

/// <summary>What was decided before.</summary>
/// <param name="Committed">Rounds up to this number are known to have been committed once, in this life of the job or another.</param>
/// <param name="ForgottenThrough">What was decided about rounds up to this number is not known any more.</param>
/// <param name="Absences">By round, from 0, of those that did without somebody.</param>
internal sealed record PastRounds(long Committed, long ForgottenThrough, ImmutableDictionary<long, ImmutableArray<Absence>> Absences)
{
    public static PastRounds None { get; } = new(0, 0, ImmutableDictionary<long, ImmutableArray<Absence>>.Empty);
}

/// <summary>Ranks at no site, of a job that nobody is missing from.</summary>
internal sealed class PlainCrew(int ranks) : IRoundCrew
{
    public IReadOnlyList<string?> Sites { get; } = new string?[ranks];

    public PastRounds? TryRead(long round) => PastRounds.None;

    public bool TryRecord(long round, ImmutableArray<Absence> absences, bool isRevision) => true;

    public void AwaitNews() { }

    public void Notice(string text) { }
}
