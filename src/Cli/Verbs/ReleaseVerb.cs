using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Cluster.Cli.Continual;
using Cluster.Client;
using Cluster.Contracts.Api;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster release JOB NAME</c>: forks the trunk of a continual job that is at work, and anneals, within the trunk's job or apart.</summary>
internal static class ReleaseVerb
{
    private static readonly Option<long?> Steps = new("--steps") { Description = "Updates of annealing. By default as many as the job's last release had.", HelpName = "N" };
    private static readonly Option<long?> At = new("--at") { Description = "The update of the trunk after which it forks. By default the next that comes.", HelpName = "N" };
    private static readonly Option<double?> Min = new("--min") { Description = "The learning rate of its last update. By default the schedule's.", HelpName = "RATE" };
    private static readonly Option<string?> Tail = new("--tail") { Description = "How the rate falls: exponential (the default), linear, cosine, oneMinusSqrt or halfLife.", HelpName = "KIND" };
    private static readonly Option<string?> Mixture = new("--mixture") { Description = "What its batches consist of, for example '{kind: equal}'. By default as in the stage.", HelpName = "YAML" };

    private static readonly Option<bool> Apart = new("--apart") { Description = "Anneals in a job of its own, at the same time as the trunk goes on." };
    private static readonly Option<int?> Workers = new("--workers") { Description = "With --apart: how many workers it waits for. By default 1.", HelpName = "N" };

    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = "What the release is called: a name of its own in the job." };
        return ClusterVerb.Create(
            "release", "Publishes an annealed release of a continual job, while its trunk goes on.", [VerbOptions.Job, name, Steps, At, Min, Tail, Mixture, Apart, Workers, OrderFollow.NoWait],
            (client, parsed, output, cancellationToken) => ReleaseAsync(client, parsed, parsed.GetRequiredValue(name), output, cancellationToken));
    }

    private static async Task<int> ReleaseAsync(ClusterClient client, ParseResult parsed, string name, Output output, CancellationToken cancellationToken)
    {
        (string Key, string? Value)[] keys =
        [
            ("name", $"\"{JsonEncodedText.Encode(name)}\""),
            ("updates", Number(parsed.GetValue(Steps))),
            ("at", Number(parsed.GetValue(At))),
            ("min", Number(parsed.GetValue(Min))),
            ("tail", parsed.GetValue(Tail)),
            ("mixture", parsed.GetValue(Mixture)),
            ("branch", parsed.GetValue(Apart) ? "apart" : null),
            ("workers", parsed.GetValue(Workers) is { } count ? string.Create(CultureInfo.InvariantCulture, $"{{min: {count}}}") : null),
        ];
        var id = parsed.GetRequiredValue(VerbOptions.Job);
        var text = string.Concat(keys.Where(key => key.Value is not null).Select(key => $"{key.Key}: {key.Value}\n"));
        var order = await client.ReleaseAsync(id, new ReleaseRequest(text), cancellationToken);
        return await OrderFollow.RunAsync(client, id, order, parsed, output, cancellationToken);
    }

    private static string? Number(IFormattable? value) => value?.ToString(null, CultureInfo.InvariantCulture);
}
