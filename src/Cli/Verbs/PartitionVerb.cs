using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Cluster.Cli.Plots;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster data partition SPEC</c>: which client of a federated job holds what, before anything runs.</summary>
internal static class PartitionVerb
{
    /// <summary>More rows than anybody reads; <c>--json</c> has all.</summary>
    private const int MaxRows = 200;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static Command Create()
    {
        var png = new Option<string?>("--png") { Description = "Also draws it into this file.", HelpName = "FILE" };
        var command = new Command("partition", "Shows which client of a federated job holds what.") { VerbOptions.Spec, VerbOptions.Set, VerbOptions.Data, png, VerbOptions.Json };
        command.SetAction(parsed =>
        {
            var path = parsed.GetRequiredValue(VerbOptions.Spec);
            var spec = SpecFile.Read(path, parsed.GetValue(VerbOptions.Set) ?? []);
            if (spec.Federated is null) { throw new BadInputException($"{path}: method: found {SpecSummary.MethodOf(spec)}, allowed: fedHyper, whose data lie with clients"); }

            if (spec.Federated.Sites.Count > 0) { throw new BadInputException($"{path}: federated.partition.kind: found sites, whose data nobody else sees; allowed: iid, dirichlet, shards, speaker, files, folders"); }

            var roots = DataRoots.Of(path, parsed.GetValue(VerbOptions.Data), Environment.GetEnvironmentVariable(DataRoots.Variable));
            var holdings = Holdings.Of(FederatedData.Open(spec, roots));
            if (parsed.GetValue(VerbOptions.Json)) { Console.Out.WriteLine(JsonSerializer.Serialize(holdings, Json)); }
            else { Show(holdings); }

            if (parsed.GetValue(png) is { } file) { PartitionPlot.Save(file, spec.Name, holdings); }
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static void Show(Holdings holdings)
    {
        var output = new Output(isJson: false);
        var classes = holdings.Clients[0].Classes.Length;
        output.Table(
            ["client", "samples", "share", .. Enumerable.Range(0, classes).Select(c => c.ToString(CultureInfo.InvariantCulture))],
            holdings.Clients.Take(MaxRows).Select(client => (IReadOnlyList<string>)
            [
                client.Name,
                Output.Number(client.Samples),
                ((double)client.Samples / holdings.Samples).ToString("P1", CultureInfo.InvariantCulture),
                .. client.Classes.Select(count => count == 0 ? "" : Output.Number(count)),
            ]));
        if (holdings.Clients.Length > MaxRows) { output.Line($"and {Output.Number(holdings.Clients.Length - MaxRows)} more clients; --json has all"); }

        var heldBack = holdings.Clients.Sum(client => client.HeldBack);
        long[] sizes = [.. holdings.Clients.Select(client => client.Samples).Order()];
        output.Pairs(
        [
            ("clients", Output.Number(sizes.Length)),
            ("samples", $"{Output.Number(holdings.Samples)}, of one client {Output.Number(sizes[0])} to {Output.Number(sizes[^1])}, median {Output.Number(sizes[sizes.Length / 2])}"),
            ("evaluation", $"{Output.Number(holdings.EvaluationSamples)} samples{(heldBack > 0 ? $", and {Output.Number(heldBack)} that the clients hold back" : "")}"),
            ("sha256", holdings.Sha256),
        ]);
    }
}
