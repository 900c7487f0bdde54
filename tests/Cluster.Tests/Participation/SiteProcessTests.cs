using System.Collections.Immutable;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Tests.Elastic;
using Cluster.Tests.EndToEnd;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Methods.FedHyper;
using Cluster.Trainer.Rounds;
using static TorchSharp.torch;

namespace Cluster.Tests.Participation;

/// <summary>Sites as processes, each with its folder; they are killed, and come back.</summary>
[Collection(EndToEndTests.Name)]
public sealed class SiteProcessTests
{
    /// <summary>
    /// One site is killed: the job goes on with a quorum. A second one too: it waits. Both come back and are taken back. Then everything is
    /// killed, and the job begins again without a checkpoint: what was decided about its rounds holds, which is proved by computing
    /// them here, from the record and all data in one place.
    /// </summary>
    [Fact]
    public async Task The_job_goes_on_without_a_killed_site_takes_it_back_and_is_the_same_after_everything_was_killed()
    {
        using var data = new SiteData();
        var text = SiteData.Spec(rounds: 400, "checkpoint: { everyRounds: 0 }\nevaluate: { everyRounds: 10 }")
            .Replace("localEpochs: 2", "localEpochs: 2\n  localEvaluation: { share: 0.2 }", StringComparison.Ordinal);
        await using var cluster = await TestCluster.StartAsync(trainers: 0);
        foreach (var site in SiteData.Names) { cluster.AddSite(site, data.FolderOf(site)); }
        var job = await cluster.SubmitAsync("hospitals", text, 3, 3);
        var record = cluster.Federation("hospitals");

        await cluster.UntilAsync(job, view => view.Round > 10, "rounds of three sites");
        cluster.KillTrainer("hospital-b");
        await UntilAsync(record, page => Missed(page, "hospital-b") >= 3, "three rounds without hospital-b");
        cluster.KillTrainer("hospital-c");
        await cluster.UntilAsync(job, view => view.Workers.Count(worker => worker.Rank >= 0) == 1, "hospital-a alone");
        var waiting = await job.View(long.MaxValue);
        Assert.Equal(JobState.Running, waiting.State);
        Assert.InRange(waiting.Round, 13, 399);

        foreach (var site in (string[])["hospital-b", "hospital-c"]) { cluster.AddSite(site, data.FolderOf(site)); }
        var back = await cluster.UntilAsync(job, view => view.Workers.Count(worker => worker.Rank >= 0) == 3, "the sites' return");
        await cluster.UntilAsync(job, view => view.Round > back.Round + 5, "rounds with them");
        var before = await record.Read(0, 500);
        cluster.KillAll();
        cluster.StartSilo();
        foreach (var site in SiteData.Names) { cluster.AddSite(site, data.FolderOf(site)); }

        var end = await cluster.UntilEndAsync(job);
        var after = await record.Read(0, 500);
        Assert.Equal((before.Recorded, 0L), (after.Recorded, after.Revised));
        Assert.Equal(Told(before), Told(after));
        Assert.Equal((0L, true), (Missed(after, "hospital-a"), Missed(after, "hospital-b") >= 3));
        Assert.Equal(0, end.SkippedRounds);
        Assert.Equal(WeightsOf(text, data, after.Rounds), end.WeightsSha256);
        Assert.Equal((3, 0), (end.Metrics["localEvalClients"], end.Metrics["localEvalClientsAbsent"]));
        Assert.All(SiteData.Names, site => Assert.InRange(end.Metrics[$"localEvalAccuracy.{site}"], 0.1, 1));
    }

    private static string WeightsOf(string text, SiteData data, ImmutableArray<RoundAbsences> decided)
    {
        var spec = SpecReader.Read(text, "hospitals.yaml").Spec!;
        var crew = new FakeCrew((string?)null) { Committed = long.MaxValue };
        foreach (var round in decided) { crew.Absences[round.Round - 1] = round.Absences; }
        return Ranks.Run(1, mesh =>
        {
            using var method = new FederatedMethod(spec, data.All(spec), CPU);
            using var loop = new RoundLoop(method, spec, new Recorder());
            loop.Run(mesh, () => default, crew);
            return WeightsHash.Of(method.State.Layout, method.State.Buffers[0].Buffer);
        })[0];
    }

    /// <summary>Every round with every absence in words; an immutable array itself is equal to none but itself.</summary>
    private static IEnumerable<(long Round, long Revision, string Absences)> Told(ParticipationPage page) =>
        page.Rounds.Select(round => (round.Round, (long)round.Revision, string.Join("; ", round.Absences)));

    private static long Missed(ParticipationPage page, string site) => page.Clients.Where(client => client.Client == site).Sum(client => client.Absent);

    private static async Task UntilAsync(IFederationGrain record, Func<ParticipationPage, bool> state, string what)
    {
        using var limit = new CancellationTokenSource(TestCluster.Deadline);
        while (!state(await record.Read(0, 500)))
        {
            Assert.False(limit.IsCancellationRequested, $"{what} did not come");
            await Task.Delay(5);
        }
    }
}
