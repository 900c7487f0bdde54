using System.CommandLine;
using System.Globalization;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster list</c>: the jobs, newest first.</summary>
internal static class ListVerb
{
    public static Command Create()
    {
        var state = new Option<JobState?>("--state") { Description = "Only jobs in this state.", HelpName = "STATE" };
        var count = new Option<int>("--count") { Description = "At most so many jobs, 1 to 500.", HelpName = "N", DefaultValueFactory = _ => 50 };
        var skip = new Option<int>("--skip") { Description = "Leaves the newest so many out.", HelpName = "N" };
        return ClusterVerb.Create("list", "Lists jobs, newest first.", [state, count, skip], async (client, parsed, output, cancellationToken) =>
        {
            var page = await client.ListAsync(parsed.GetValue(skip), parsed.GetValue(count), parsed.GetValue(state), cancellationToken);
            return output.Answer(page, ApiJson.Default.JobPage, o => Show(page, o));
        });
    }

    private static void Show(JobPage page, Output output)
    {
        output.Table(
            ["job", "state", "round", "workers", "submitted", "why"],
            page.Jobs.Select(job => (IReadOnlyList<string>)
            [
                job.JobId,
                job.State.ToString(),
                string.Create(CultureInfo.InvariantCulture, $"{job.Round}/{job.Rounds}"),
                job.Workers.ToString(CultureInfo.InvariantCulture),
                Output.Time(job.Submitted),
                job.Reason,
            ]));
        if (page.Next is { } next) { output.Line($"{Output.Number(page.Total)} jobs in all; more with --skip {next}"); }
    }
}
