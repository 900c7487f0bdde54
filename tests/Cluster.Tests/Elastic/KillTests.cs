using System.Globalization;
using Cluster.Client;
using Cluster.Contracts.Jobs;
using Cluster.Tests.EndToEnd;
using Cluster.Tests.Storage;
using Cluster.Trainer.Core.Data;
using Xunit.Abstractions;

namespace Cluster.Tests.Elastic;

/// <summary>
/// The first two promises: processes killed at random moments change no bit of the answer; a trainer costs at most the round under
/// way, the silo nothing. <c>CLUSTER_KILL_RUNS</c> sets how many seeded runs there are (a few by default; 100 for a record), or which:
/// 55-100. <c>CLUSTER_KILL_JOB</c> names the one job to run, of those below:
/// <code>
///   CLUSTER_KILL_RUNS=30 CLUSTER_KILL_JOB=federated dotnet test -c Release --filter KillTests
/// </code>
/// </summary>
[Collection(EndToEndTests.Name)]
public sealed class KillTests(ITestOutputHelper output)
{
    private const int Workers = 3;

    private sealed record Answer(string Hash, long SamplesSeen, (long Round, bool IsEvaluation, string Values)[] Losses, long Leaves);

    [Fact]
    public async Task Killed_processes_change_no_bit_and_cost_one_round_at_most()
    {
        var (first, runs) = Wanted(byDefault: "2");
        var hasMnist = Environment.GetEnvironmentVariable(DataRoots.Variable) is { } roots && Directory.Exists(Path.Combine(roots, "mnist"));
        (string Name, string Spec)[] jobs =
        [
            ("digits", ElasticJobs.Digits), ("gpt", ElasticJobs.Gpt), ("continual", ElasticJobs.Continual), ("federated", ElasticJobs.Federated),
            .. hasMnist ? [("lenet", ElasticJobs.LeNet)] : Array.Empty<(string, string)>(),
        ];
        if (Environment.GetEnvironmentVariable("CLUSTER_KILL_JOB") is { } only) { jobs = [jobs.Single(job => job.Name == only)]; }

        await using var cluster = await TestCluster.StartAsync(Workers);
        await RunAsync(cluster, jobs, first, runs);
    }

    /// <summary>Two silos, a dashboard and Redis are killed too; no job is lost by that, and in the end the API has them all.</summary>
    [SkippableFact]
    public async Task So_it_is_with_several_silos_on_Redis_which_is_killed_too()
    {
        var (first, runs) = Wanted(byDefault: "1");
        using var redis = await RedisServer.StartOrSkip();
        await using var cluster = await TestCluster.StartAsync(Workers, redis);
        cluster.StartDashboard();
        (string, string)[] jobs = [("gpt", ElasticJobs.Gpt), ("digits", ElasticJobs.Digits)];
        var submitted = await RunAsync(cluster, jobs, first, runs);

        using var client = new ClusterClient(cluster.Api);
        var listed = await client.ListAsync(0, 500, JobState.Succeeded, CancellationToken.None);
        Assert.Equal(submitted.Order(), listed.Jobs.Select(job => job.JobId).Order());
    }

    /// <summary>A job for each seed, disturbed, and before the first of its kind the same undisturbed.</summary>
    /// <returns>The ids of all.</returns>
    private async Task<List<string>> RunAsync(TestCluster cluster, (string Name, string Spec)[] jobs, int from, int to)
    {
        var ids = new List<string>();
        var undisturbed = new Dictionary<string, Answer>();
        for (var seed = from; seed <= to; seed++)
        {
            var (name, spec) = jobs[seed % jobs.Length];
            if (!undisturbed.TryGetValue(name, out var expected))
            {
                ids.Add($"{name}-undisturbed");
                var first = await cluster.SubmitAsync(ids[^1], spec, Workers, Workers);
                undisturbed[name] = expected = await AnswerAsync(await cluster.UntilEndAsync(first), first);
            }

            ids.Add($"{name}-seed-{seed}");
            var job = await cluster.SubmitAsync(ids[^1], spec, 1, Workers);
            var (trainers, others) = await DisturbAsync(cluster, job, new Random(seed));
            var view = await cluster.UntilEndAsync(job);
            var answer = await AnswerAsync(view, job);
            var again = answer.Leaves - expected.Leaves;
            output.WriteLine($"seed {seed}: {name}, {trainers} trainers and {others} others killed, {view.Recoveries} recoveries, {view.Generation} generations, {again} leaves computed again, {answer.Hash}");

            Assert.True(expected.Hash == answer.Hash, $"seed {seed}: {answer.Hash} and not {expected.Hash}\n{cluster.Logs()}");
            Assert.Equal(expected.SamplesSeen, answer.SamplesSeen);
            // What a silo had not stored yet dies with it and with the last worker that was there: curves may have a gap then, and no other number.
            if (trainers == 0 || others == 0) { Assert.Equal(expected.Losses, answer.Losses); }
            Assert.Empty(answer.Losses.Except(expected.Losses));
            Assert.InRange(again, long.MinValue, trainers * ((expected.Leaves + view.Rounds - 1) / view.Rounds)); // Rounds may differ: some of a continual job have no leaves.
            // Where the processors are overloaded, a worker that lives may miss its lease: that is a recovery more, and no round more.
            var starved = view.Events.Count(e => e.Text.Contains("fell silent", StringComparison.Ordinal));
            Assert.True(view.Recoveries <= trainers + starved, $"seed {seed}: {view.Recoveries} recoveries\n{string.Join('\n', view.Events.Select(e => e.Text))}");
        }

        return ids;
    }

    /// <summary>
    /// One to four kills, each at a random moment of the run, of a trainer or another process, and each time with a new
    /// process in its place; how many of each. A kill waits until two members that live have the state (the job's view has dead ones too, until
    /// their lease ends): where the last one that has it is killed, the job goes on from a checkpoint.
    /// </summary>
    internal static async Task<(int Trainers, int Others)> DisturbAsync(TestCluster cluster, IJobGrain job, Random random)
    {
        var (trainers, others) = (0, 0);
        for (var kills = random.Next(1, 5); trainers + others < kills;)
        {
            var view = await cluster.UntilAsync(job, view => view.Round > 0 || view.State.IsFinal, "a first round");
            var at = view.Round + random.NextInt64(1 + (view.Rounds - view.Round) / 3);
            view = await cluster.UntilAsync(job, view => (view.Round >= at && view.Workers.Count(w => w is { Rank: >= 0, Round: > 0 } && cluster.Trainers.Contains(w.Id)) > 1) || view.State.IsFinal, $"round {at} on two members");
            await Task.Delay(random.Next(100)); // Within a round, not only between heartbeats.
            if (view.State.IsFinal) { break; }
            var victim = random.Next(Workers + cluster.Restarts.Length);
            if (victim >= Workers)
            {
                cluster.Restarts[victim - Workers]();
                others++;
                continue;
            }

            cluster.KillTrainer(cluster.Trainers.ElementAt(victim));
            cluster.AddTrainer();
            trainers++;
        }

        return (trainers, others);
    }

    /// <summary>The first and the last seed.</summary>
    internal static (int First, int Last) Wanted(string byDefault)
    {
        int[] wanted = [.. (Environment.GetEnvironmentVariable("CLUSTER_KILL_RUNS") ?? byDefault).Split('-').Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
        return (wanted.Length > 1 ? wanted[0] : 1, wanted[^1]);
    }

    private static async Task<Answer> AnswerAsync(JobView view, IJobGrain job)
    {
        var samples = await TestCluster.SamplesAsync(job);
        return new Answer(
            view.WeightsSha256!,
            view.SamplesSeen,
            [.. samples.Select(sample => (sample.Round, sample.IsEvaluation, string.Join(' ', sample.Values.OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key}={v.Value:R}"))))],
            view.Workers.Sum(worker => worker.LeavesComputed));
    }
}
