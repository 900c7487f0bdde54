using System.CommandLine;
using Cluster.Client;

namespace Cluster.Cli.Verbs;

/// <summary>A verb that asks a cluster: it has <c>--cluster</c>, <c>--token-file</c> and <c>--json</c>, and gets a client and a place for its answer.</summary>
internal static class ClusterVerb
{
    public static Command Create(
        string name, string description, IReadOnlyList<Symbol> symbols,
        Func<ClusterClient, ParseResult, Output, CancellationToken, Task<int>> action)
    {
        var command = new Command(name, description);
        foreach (var argument in symbols.OfType<Argument>()) { command.Arguments.Add(argument); }
        foreach (var option in symbols.OfType<Option>()) { command.Options.Add(option); }
        command.Options.Add(VerbOptions.Cluster);
        command.Options.Add(VerbOptions.TokenFile);
        command.Options.Add(VerbOptions.Json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var url = ClusterUrl.Of(parsed.GetValue(VerbOptions.Cluster), Environment.GetEnvironmentVariable(ClusterUrl.Variable), VerbOptions.DefaultStore);
            var token = ClusterToken.Of(parsed.GetValue(VerbOptions.TokenFile), Environment.GetEnvironmentVariable(ClusterClient.TokenVariable), url, VerbOptions.DefaultStore);
            using var client = new ClusterClient(url, token);
            return await action(client, parsed, new Output(parsed.GetValue(VerbOptions.Json)), cancellationToken);
        });
        return command;
    }
}
