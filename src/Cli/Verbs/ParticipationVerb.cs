using System.CommandLine;
using Cluster.Contracts.Api;
using Cluster.Contracts.Federation;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster participation JOB</c>: which rounds of a federated job did without which of its clients.</summary>
internal static class ParticipationVerb
{
    /// <summary>More names in a row than anybody reads; <c>--json</c> has all.</summary>
    private const int MaxNames = 8;

    public static Command Create()
    {
        var job = new Argument<string>("job") { Description = "The job's id." };
        var after = new Option<long>("--after") { Description = "Only rounds after this one.", HelpName = "ROUND" };
        var count = new Option<int>("--count") { Description = "At most so many rounds, 1 to 500.", HelpName = "N", DefaultValueFactory = _ => 100 };
        return ClusterVerb.Create("participation", "Shows which rounds of a federated job did without which of its clients.", [job, after, count], async (client, parsed, output, cancellationToken) =>
        {
            var page = await client.ParticipationAsync(parsed.GetRequiredValue(job), parsed.GetValue(after), parsed.GetValue(count), cancellationToken);
            return output.Answer(page, ApiJson.Default.ParticipationPage, o => Show(o, page));
        });
    }

    private static void Show(Output output, ParticipationPage page)
    {
        if (page.Recorded == 0)
        {
            output.Line("All clients took part in every round.");
            return;
        }

        output.Table(["round", "late", "absent", ""], page.Rounds.Select(round => (IReadOnlyList<string>)
            [Output.Number(round.Round), Names(round, AbsenceKind.Late), Names(round, AbsenceKind.Absent), round.Revision > 0 ? $"decided anew {round.Revision} times" : ""]));
        output.Table(["client", "late", "absent", "last"], page.Clients.Select(client => (IReadOnlyList<string>)
            [client.Client, Output.Number(client.Late), Output.Number(client.Absent), Output.Number(client.LastRound)]));
        output.Pairs([("rounds", $"{Output.Number(page.Recorded)} did without a client, the newest {Output.Number(page.Newest)}"), ("decided anew", Output.Number(page.Revised))]);
    }

    private static string Names(RoundAbsences round, AbsenceKind kind)
    {
        string[] names = [.. round.Absences.Where(absence => absence.Kind == kind).Select(absence => absence.Client)];
        return names.Length <= MaxNames ? string.Join(", ", names) : $"{string.Join(", ", names.Take(MaxNames))} and {names.Length - MaxNames} more";
    }
}
