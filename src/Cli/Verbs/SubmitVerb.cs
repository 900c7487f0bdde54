using System.CommandLine;
using Cluster.Client;
using Cluster.Contracts.Api;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Methods.Continual;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster submit SPEC</c>: hands a job to a running cluster and prints its id.</summary>
internal static class SubmitVerb
{
    public static Command Create()
    {
        var workers = new Option<int?>("--workers") { Description = "Workers to train on; the answer is the same for any number. By default what the spec says.", HelpName = "N" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Watches the job until it has ended; with --json the report comes at the end." };
        return ClusterVerb.Create(
            "submit", "Hands a job to a cluster.", [VerbOptions.Spec, workers, VerbOptions.Set, VerbOptions.Data, follow],
            (client, parsed, output, cancellationToken) => SubmitAsync(client, parsed, parsed.GetValue(workers), parsed.GetValue(follow), output, cancellationToken));
    }

    private static async Task<int> SubmitAsync(
        ClusterClient client, ParseResult parsed, int? workers, bool follow, Output output, CancellationToken cancellationToken)
    {
        var path = parsed.GetRequiredValue(VerbOptions.Spec);
        var spec = SpecFile.Read(path, parsed.GetValue(VerbOptions.Set) ?? []); // Checked here first: the messages name file and line.
        var roots = DataRoots.Of(path, parsed.GetValue(VerbOptions.Data), Environment.GetEnvironmentVariable(DataRoots.Variable));
        spec = TrunkStart.Record(DataRecord.Record(spec, roots, whereFound: true), roots);
        var request = new SubmitRequest
        {
            Spec = SpecText.Write(spec),
            Workers = workers,
            DataRoots = roots,
        };
        var jobId = await client.SubmitAsync(request, cancellationToken);
        return follow
            ? await JobFollow.RunAsync(client, jobId, output, cancellationToken)
            : output.Answer(new SubmitResponse(jobId), ApiJson.Default.SubmitResponse, o => o.Line(jobId));
    }
}
