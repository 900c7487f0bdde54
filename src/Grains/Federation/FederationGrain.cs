using System.Collections.Immutable;
using Cluster.Contracts.Federation;

namespace Cluster.Grains.Federation;

/// <summary>The shell around <see cref="FederationMachine"/>: what is answered is durable.</summary>
internal sealed class FederationGrain([PersistentState("federation", "cluster")] IPersistentState<FederationState> store) : Grain, IFederationGrain
{
    private const int MaxPage = 500;

    /// <summary>As many as a round can sample.</summary>
    private const int MaxAbsencesPerRound = 3 * 4_096;

    private SharedWrite<FederationState> _durable = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _durable = new(store, DeactivateOnIdle);
        return Task.CompletedTask;
    }

    public Task Begin(long generation) => Commit(FederationMachine.Begin(_durable.State, generation));

    public async Task<bool> Record(long generation, long round, ImmutableArray<Absence> absences, bool isRevision)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(round);
        if (absences.IsDefaultOrEmpty || absences.Length > MaxAbsencesPerRound || absences.Any(a => a.Position < 0 || a.Client is not { Length: > 0 and <= Names.MaxLength }))
        {
            throw new ArgumentException($"Round {round} of {this.GetPrimaryKeyString()}: 1 to {MaxAbsencesPerRound} absences of named clients are allowed.", nameof(absences));
        }

        var step = FederationMachine.Record(_durable.State, generation, new(round, absences, isRevision ? 1 : 0));
        await Commit(step);
        return !step.IsFenced;
    }

    public Task<ParticipationPage> Read(long afterRound, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaxPage);
        return Task.FromResult(FederationMachine.Page(_durable.State, afterRound, count));
    }

    private Task Commit(FederationStep step)
    {
        if (!ReferenceEquals(step.State, _durable.State)) { _durable.Change(step.State); }
        return _durable.Written();
    }
}
