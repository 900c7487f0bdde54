using System.CommandLine;
using System.Text;
using Cluster.Cli.Report;
using Cluster.Contracts.Jobs;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster report JOB PATH</c>: a job on one page of HTML, to be kept or sent.</summary>
internal static class ReportVerb
{
    public static Command Create()
    {
        var path = new Argument<string>("path") { Description = "The HTML file to write." };
        return ClusterVerb.Create("report", "Writes a job, its curves and what happened to it as one HTML file.", [VerbOptions.Job, path], async (client, parsed, output, cancellationToken) =>
        {
            var jobId = parsed.GetRequiredValue(VerbOptions.Job);
            var job = await client.ShowAsync(jobId, cancellationToken);
            var html = HtmlReport.Write(job, await client.MetricsAsync(jobId, cancellationToken));
            var file = Path.GetFullPath(parsed.GetRequiredValue(path));
            await WholeFile.WriteAsync(file, into => into.WriteAsync(Encoding.UTF8.GetBytes(html), cancellationToken).AsTask());
            return output.Answer(new ReportFile(file, job.State.ToString()), CurveVerbJson.Default.ReportFile, o => o.Line($"{file}: {jobId} is {job.State}{(job.State.IsFinal ? "" : "; what comes later is not in it")}"));
        });
    }
}

/// <param name="State">Of the job, when it was written.</param>
internal sealed record ReportFile(string Path, string State);
