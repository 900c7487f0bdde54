using System.Collections.Immutable;

namespace Cluster.Contracts.Federation;

/// <summary>Which rounds of a federated job did without which clients, keyed by the job's id.</summary>
/// <remarks>
/// Rank 0 of a generation records the absences of a round before any rank commits it. A round in which all took part costs no call.
/// Whoever computes a round again, after a crash, reads first what was decided.
/// </remarks>
[Alias("cluster.federation")]
public interface IFederationGrain : IGrainWithStringKey
{
    /// <summary>From rank 0: the generation is at work. From here on, no older one records anything.</summary>
    [Alias("begin")]
    Task Begin(long generation);

    /// <summary>
    /// Durable when it returns. Recording the same again changes nothing; another decision about a round replaces the one before, and
    /// counts as a revision.
    /// </summary>
    /// <param name="isRevision">The round may have been committed before, with everybody.</param>
    /// <returns>False where a newer generation is at work: the caller's is dead, and must not commit.</returns>
    [Alias("record")]
    Task<bool> Record(long generation, long round, ImmutableArray<Absence> absences, bool isRevision);

    /// <summary>Records of the rounds after this one, oldest first.</summary>
    /// <param name="count">At most so many: 1 to 500.</param>
    [Alias("read")]
    Task<ParticipationPage> Read(long afterRound, int count);
}
