using System.Collections.Immutable;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Jobs;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Rounds;

namespace Cluster.Trainer.Worker;

/// <summary>
/// One generation as its round loop sees it: the sites of its members, and the job's <see cref="IFederationGrain"/>. The training thread
/// waits for the grain; nothing waits for the training thread.
/// </summary>
/// <param name="awaitNews">Returns when another generation is there, or after a moment.</param>
internal sealed class GenerationCrew(Assignment assignment, IGrainFactory grains, TimeProvider time, Action awaitNews, Action<string> notice) : IRoundCrew
{
    /// <summary>An answer that takes longer is not waited for: the silo may be gone, and asking again is harmless.</summary>
    private static readonly TimeSpan AnswerDeadline = TimeSpan.FromSeconds(2);

    private const int PageSize = 500;

    private string? _problem;

    public IReadOnlyList<string?> Sites { get; } = [.. assignment.Members.Select(member => member.Site.Length > 0 ? member.Site : null)];

    public PastRounds? TryRead(long round) => Try(async () =>
    {
        var federation = Federation;
        await federation.Begin(assignment.Generation);
        var job = await grains.GetGrain<IJobGrain>(assignment.JobId).Summary();

        var absences = ImmutableDictionary.CreateBuilder<long, ImmutableArray<Absence>>();
        for (var after = round; ;)
        {
            var page = await federation.Read(after, PageSize); // Rounds are counted from 1 there.
            foreach (var decided in page.Rounds) { absences[decided.Round - 1] = decided.Absences; }
            if (page.Rounds.Length < PageSize) { return new PastRounds(Math.Max(job.Round, page.Newest - 1), page.ForgottenThrough, absences.ToImmutable()); }
            after = page.Rounds[^1].Round;
        }
    });

    public bool TryRecord(long round, ImmutableArray<Absence> absences, bool isRevision) =>
        Try<bool?>(async () => await Federation.Record(assignment.Generation, round + 1, absences, isRevision)) switch
        {
            null => false,
            true => true,
            false => throw new MeshFaultException(new MeshFault(FaultKind.Aborted, null, $"generation {assignment.Generation} is dead: a newer one is at work")),
        };

    public void AwaitNews() => awaitNews();

    public void Notice(string text) => notice(text);

    private IFederationGrain Federation => grains.GetGrain<IFederationGrain>(assignment.JobId);

    /// <summary>The answer, or null where there is none: a control plane that is away is asked again, and said once to be so.</summary>
    private T? Try<T>(Func<Task<T>> ask)
    {
        try
        {
            var answer = Task.Run(ask).WaitAsync(AnswerDeadline, time).GetAwaiter().GetResult();
            _problem = null;
            return answer;
        }
        catch (Exception away)
        {
            if (_problem is null) { notice($"waits for the control plane, which keeps who takes part in a round: {away.Message}"); }
            _problem = away.Message;
            return default;
        }
    }
}
