using System.CommandLine;
using Cluster.Cli.Up;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster up</c>: a whole cluster on this machine; see <see cref="LocalCluster"/>.</summary>
internal static class UpVerb
{
    public static Command Create()
    {
        var workers = new Option<int>("--workers") { Description = "Worker processes to start and keep alive; 0 starts the control plane alone.", HelpName = "N", DefaultValueFactory = _ => 2 };
        var port = new Option<int>("--port") { Description = "Port of the API; chosen by the system when 0.", HelpName = "PORT", DefaultValueFactory = _ => 8080 };
        var gateway = new Option<int>("--gateway-port") { Description = "Port at which further workers connect; chosen by the system when 0.", HelpName = "PORT", DefaultValueFactory = _ => 30000 };
        var detach = new Option<bool>("--detach") { Description = "Starts it in the background, and returns when it is ready." };
        var command = new Command("up", "Starts a whole cluster on this machine, and stays until it is ended.")
        {
            workers, VerbOptions.Store, port, gateway, detach, VerbOptions.Json,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            Background.EnterIfAsked();
            var options = new UpOptions(
                InRange("--workers", parsed.GetValue(workers), 1024),
                Path.GetFullPath(parsed.GetRequiredValue(VerbOptions.Store)),
                InRange("--port", parsed.GetValue(port), ushort.MaxValue),
                InRange("--gateway-port", parsed.GetValue(gateway), ushort.MaxValue),
                parsed.GetValue(VerbOptions.Json));
            return parsed.GetValue(detach) ? await Background.StartAsync(options, cancellationToken) : await LocalCluster.RunAsync(options);
        });
        return command;
    }

    private static int InRange(string name, int value, int max) =>
        value >= 0 && value <= max ? value : throw new BadInputException($"{name}: found {value}, allowed: 0 to {max}");
}
