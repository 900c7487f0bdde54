using System.CommandLine;
using Cluster.Cli.Run;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster run SPEC</c>: everything in one command; see <see cref="EmbeddedRun"/>.</summary>
internal static class RunVerb
{
    public static Command Create()
    {
        var workers = new Option<int?>("--workers") { Description = "Worker processes to start; the answer is the same for any number.", HelpName = "N" };
        var threads = new Option<int?>("--threads") { Description = "Math threads per worker; the same as --set threads=T.", HelpName = "T" };
        var resume = new Option<bool>("--resume") { Description = "Goes on from the newest checkpoint of this spec's last job in the store." };
        var json = new Option<string?>("--json") { Description = "Writes the report as JSON at the end; - means standard output.", HelpName = "FILE|-" };
        var port = new Option<int>("--port") { Description = "Port of the embedded silo's gateway; chosen by the system when 0.", HelpName = "PORT" };
        var command = new Command("run", "Starts a silo and workers here, trains the job, and ends.")
        {
            VerbOptions.Spec, workers, threads, VerbOptions.Store, VerbOptions.Data, resume, VerbOptions.Set, json, port,
        };
        command.SetAction((parsed, _) => new EmbeddedRun(new RunOptions
        {
            SpecPath = parsed.GetRequiredValue(VerbOptions.Spec),
            Overrides = [.. parsed.GetValue(VerbOptions.Set) ?? [], .. parsed.GetValue(threads) is { } t ? [$"threads={t}"] : Array.Empty<string>()],
            Workers = parsed.GetValue(workers),
            Store = parsed.GetRequiredValue(VerbOptions.Store),
            Data = parsed.GetValue(VerbOptions.Data),
            Resume = parsed.GetValue(resume),
            Json = parsed.GetValue(json),
            GatewayPort = parsed.GetValue(port),
        }).RunAsync());
        return command;
    }
}
