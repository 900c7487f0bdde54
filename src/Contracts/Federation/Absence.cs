using System.Collections.Immutable;

namespace Cluster.Contracts.Federation;

/// <summary>Why a client that a round sampled gave it nothing.</summary>
public enum AbsenceKind
{
    None = 0,

    /// <summary>The deadline came before the end of its local steps.</summary>
    Late = 1,

    /// <summary>Nobody could compute it: its site was not there.</summary>
    Absent = 2,
}

/// <summary>One client that a round did without.</summary>
/// <param name="Position">In the round's canonical order, from 0.</param>
/// <param name="Client">Its name.</param>
[GenerateSerializer, Immutable, Alias("cluster.absence")]
public sealed record Absence([property: Id(0)] int Position, [property: Id(1)] string Client, [property: Id(2)] AbsenceKind Kind);

/// <summary>A round that did without some of its clients. Rounds in which all took part have no record.</summary>
/// <param name="Round">Counted from 1, as everywhere that people read.</param>
/// <param name="Absences">At least one, by position.</param>
/// <param name="Revision">
/// How often it was decided anew after it may have been committed: because the job went back to a checkpoint, and a client that had
/// taken part was not to be had again. The weights are then others than those of the round that was lost.
/// </param>
[GenerateSerializer, Immutable, Alias("cluster.round-absences")]
public sealed record RoundAbsences([property: Id(0)] long Round, [property: Id(1)] ImmutableArray<Absence> Absences, [property: Id(2)] int Revision = 0)
{
    public bool Equals(RoundAbsences? other) => other is not null && Round == other.Round && Revision == other.Revision && Absences.SequenceEqual(other.Absences);

    public override int GetHashCode() => HashCode.Combine(Round, Revision, Absences.Length);
}

/// <summary>What one client has missed in the life of a job.</summary>
/// <param name="LastRound">The newest of these rounds.</param>
[GenerateSerializer, Immutable, Alias("cluster.missed-rounds")]
public sealed record MissedRounds([property: Id(0)] string Client, [property: Id(1)] long Late, [property: Id(2)] long Absent, [property: Id(3)] long LastRound);

/// <summary>A page of a job's participation record.</summary>
/// <param name="Rounds">Oldest first.</param>
/// <param name="ForgottenThrough">Records of rounds up to this one are kept no more; 0 while all are.</param>
/// <param name="Newest">The newest round that has a record; 0 for none.</param>
/// <param name="Recorded">Rounds that did without somebody, in the life of the job.</param>
/// <param name="Revised">How often one was decided anew.</param>
/// <param name="Clients">Those that missed most rounds come first; at most 200.</param>
[GenerateSerializer, Immutable, Alias("cluster.participation-page")]
public sealed record ParticipationPage(
    [property: Id(0)] ImmutableArray<RoundAbsences> Rounds,
    [property: Id(1)] long ForgottenThrough,
    [property: Id(2)] long Newest,
    [property: Id(3)] long Recorded,
    [property: Id(4)] long Revised,
    [property: Id(5)] ImmutableArray<MissedRounds> Clients);
