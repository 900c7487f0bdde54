using System.CommandLine;
using Cluster.Cli.Continual;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Core.Data;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster append JOB STAGE.yaml</c>: one more stage for a continual job that is at work.</summary>
internal static class AppendVerb
{
    public static Command Create()
    {
        var stage = new Argument<string>("stage") { Description = "YAML file of the stage: what one item of continual.stages has." };
        return ClusterVerb.Create(
            "append", "Adds a stage at the end of a continual job's trunk, while it runs.", [VerbOptions.Job, stage, VerbOptions.Data, OrderFollow.NoWait],
            (client, parsed, output, cancellationToken) => AppendAsync(client, parsed, parsed.GetRequiredValue(stage), output, cancellationToken));
    }

    private static async Task<int> AppendAsync(ClusterClient client, ParseResult parsed, string path, Output output, CancellationToken cancellationToken)
    {
        var text = Read(path);
        var id = parsed.GetRequiredValue(VerbOptions.Job);
        var job = await client.ShowAsync(id, cancellationToken);

        // Checked here first: the messages name file and line.
        var stage = SpecExtension.Append(job.Submission!.SpecText, text, path).Require().Continual!.Stages[^1];
        var roots = DataRoots.Of(path, parsed.GetValue(VerbOptions.Data), Environment.GetEnvironmentVariable(DataRoots.Variable));
        stage = DataRecord.Record(stage, roots, whereFound: true);
        var order = await client.AppendAsync(id, new AppendRequest(SpecText.Write(stage), roots), cancellationToken);
        return await OrderFollow.RunAsync(client, id, order, parsed, output, cancellationToken);
    }

    private static string Read(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists) { throw new BadInputException($"{path}: found no such file, allowed: the path of a YAML file"); }
        return file.Length <= SpecExtension.MaxBytes ? File.ReadAllText(path) : throw new BadInputException($"{path}: found {file.Length} bytes, allowed: a file of at most {SpecExtension.MaxBytes}");
    }
}
