using System.CommandLine;
using System.Globalization;
using Cluster.Cli.Verbs;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;

namespace Cluster.Cli.Continual;

/// <summary>Says what becomes of an order: it is stored when the cluster has answered, and taken up or refused at the end of a round.</summary>
internal static class OrderFollow
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(200);

    public static readonly Option<bool> NoWait = new("--no-wait") { Description = "Ends when the order is stored; 'show' says later what became of it." };

    /// <exception cref="BadInputException">The job refused it after all.</exception>
    public static async Task<int> RunAsync(ClusterClient client, string jobId, JobOrder order, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var isStored = order.State is OrderState.Stored;
        if (isStored && !parsed.GetValue(VerbOptions.Json)) { output.Line($"order {order.Number} of {jobId} is stored: {InWords(order)}"); }
        while (order.State is OrderState.Stored && !parsed.GetValue(NoWait))
        {
            var job = await client.ShowAsync(jobId, cancellationToken);
            order = job.Orders.First(o => o.Number == order.Number);
            if (order.State is OrderState.Stored && job.State is not (JobState.Running or JobState.Waiting)) { break; } // Until somebody resumes it.
            if (order.State is OrderState.Stored) { await Task.Delay(Period, cancellationToken); }
        }

        return order.State is OrderState.Refused
            ? throw new BadInputException($"{InWords(order)} was refused: {order.Reason}")
            : output.Answer(order, ApiJson.Default.JobOrder, o => o.Line(Outcome(order, jobId)));
    }

    public static string InWords(JobOrder order) => order.Kind is OrderKind.Append ? $"stage {order.Name}" : $"release {order.Name}";

    public static string Outcome(JobOrder order, string jobId) => order.State switch
    {
        OrderState.Taken => string.Create(
            CultureInfo.InvariantCulture, $"{InWords(order)} is part of {jobId} since round {order.Round}: it {(order.Kind is OrderKind.Append ? "begins" : "forks")} after update {order.Update} of the trunk"),
        OrderState.Refused => $"{InWords(order)} was refused: {order.Reason}",
        _ => $"{InWords(order)} waits: {jobId} takes it up at the end of a round",
    };
}
