using System.CommandLine;
using Cluster.Client;

namespace Cluster.Cli.Verbs;

/// <summary>Arguments and options that several verbs share.</summary>
internal static class VerbOptions
{
    public const string DefaultStore = ".cluster";

    public static readonly Argument<string> Spec = new("spec") { Description = "The job's YAML file." };

    public static readonly Argument<string> Job = new("job") { Description = "The job's id, as submit and list print it." };

    public static readonly Argument<string> Worker = new("worker") { Description = "The worker's id, as workers prints it." };

    public static readonly Option<string[]> Set = new("--set")
    {
        Description = "Overrides a key of the spec, for example --set seed=2 --set optimizer.kind=adamw.",
        HelpName = "key=value",
        AllowMultipleArgumentsPerToken = true,
    };

    public static readonly Option<string?> Data = new("--data") { Description = "Folder that holds data sets.", HelpName = "DIR" };

    public static readonly Option<string> Store = new("--store")
    {
        Description = "Where jobs keep checkpoints and logs.",
        HelpName = "DIR",
        DefaultValueFactory = _ => DefaultStore,
    };

    public static readonly Option<string?> Cluster = new("--cluster")
    {
        Description = $"Address of the cluster's API. By default {ClusterUrl.Variable}, else the cluster that 'up' started in {DefaultStore} here, else port 8080 of this machine.",
        HelpName = "URL",
    };

    public static readonly Option<string?> TokenFile = new("--token-file")
    {
        Description = $"File that holds your token and nothing else. By default {ClusterClient.TokenVariable}; the cluster that you started with 'up' asks for none.",
        HelpName = "FILE",
    };

    public static readonly Option<bool> Json = new("--json") { Description = "Writes JSON to standard output, and nothing else." };

    public static readonly Option<string?> Reason = new("--reason") { Description = "Why, for the job's record.", HelpName = "TEXT" };
}
