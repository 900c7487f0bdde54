using System.CommandLine;
using System.Globalization;
using Cluster.Cli.Continual;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster show JOB</c>: one job, its workers and what happened to it.</summary>
internal static class ShowVerb
{
    public static Command Create() =>
        ClusterVerb.Create("show", "Shows a job, its workers and what happened to it.", [VerbOptions.Job], async (client, parsed, output, cancellationToken) =>
        {
            var job = await client.ShowAsync(parsed.GetRequiredValue(VerbOptions.Job), cancellationToken);
            var branches = new List<IReadOnlyList<string>>();
            foreach (var branch in output.IsJson ? [] : job.Branches) { branches.Add([branch.Release, branch.JobId, await StateAsync(client, branch, cancellationToken)]); }
            return output.Answer(job, ApiJson.Default.JobView, o => Show(job, branches, o));
        });

    private static async Task<string> StateAsync(ClusterClient client, BranchView branch, CancellationToken cancellationToken)
    {
        if (branch.Refusal is { } refusal) { return $"was refused: {refusal}"; }
        try
        {
            var job = await client.ShowAsync(branch.JobId, cancellationToken);
            return string.Create(CultureInfo.InvariantCulture, $"{job.State}: {job.Reason}, round {job.Round}/{job.Rounds}");
        }
        catch (BadInputException)
        {
            return "is about to be submitted";
        }
    }

    private static void Show(JobView job, List<IReadOnlyList<string>> branches, Output output)
    {
        output.Line(job.JobId);
        output.Pairs(
        [
            ("state", $"{job.State}: {job.Reason}"),
            ("trunk", job.Submission?.Trunk),
            ("round", string.Create(CultureInfo.InvariantCulture, $"{job.Round}/{job.Rounds}, of which {job.SkippedRounds} skipped")),
            ("samples", string.Create(CultureInfo.InvariantCulture, $"{job.SamplesSeen:N0} at {job.SamplesPerSecond:N0} a second")),
            .. job.Metrics.Listed().Select(m => (m.Key, (string?)m.Value.ToString("G6", CultureInfo.InvariantCulture))),
            ("generation", string.Create(CultureInfo.InvariantCulture, $"{job.Generation}, {job.Recoveries} lost")),
            ("checkpoint", job.Checkpoint),
            ("weights", job.WeightsSha256),
        ]);
        output.Table(
            ["worker", "rank", "process", "round", "leaves"],
            job.Workers.Select(w => (IReadOnlyList<string>)
            [
                w.Id,
                w.Rank < 0 ? "left" : w.Rank.ToString(CultureInfo.InvariantCulture),
                w.ProcessId.ToString(CultureInfo.InvariantCulture),
                Output.Number(w.Round),
                Output.Number(w.LeavesComputed),
            ]));
        output.Table(
            ["time", "generation", "state", "what happened"],
            job.Events.Select(e => (IReadOnlyList<string>)
            [
                Output.Time(e.Time), e.Generation.ToString(CultureInfo.InvariantCulture), e.State.ToString(), e.Text,
            ]));
        if (branches.Count > 0) { output.Table(["release", "job", "state"], branches); }
        foreach (var order in job.Orders) { output.Line($"order {order.Number}: {OrderFollow.Outcome(order, job.JobId)}"); }
        foreach (var notice in job.Notices) { output.Line(notice); }
    }
}
