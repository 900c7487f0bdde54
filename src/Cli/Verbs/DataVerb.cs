using System.CommandLine;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Trainer.Core.Data;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster data</c>; and of it <c>get NAME</c>, which fetches a data set and checks it.</summary>
internal static class DataVerb
{
    /// <summary>Of one whole request; the largest set has 170 MB.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(30);

    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = "Name of the data set; 'list' shows them." };
        var get = new Command("get", "Fetches a data set from its public home and checks it.") { name, VerbOptions.Data };
        get.SetAction((parsed, cancellationToken) => GetAsync(parsed.GetRequiredValue(name), parsed.GetValue(VerbOptions.Data), cancellationToken));
        return new Command("data", "Data sets: fetching, tokens, and who holds what of them.") { get, TokenizeVerb.Create(), TrainTokenizerVerb.Create(), PartitionVerb.Create() };
    }

    private static async Task<int> GetAsync(string name, string? folder, CancellationToken cancellationToken)
    {
        if (name == "list")
        {
            foreach (var entry in DataCatalog.Entries) { Console.WriteLine($"{entry.Name,-16}{entry.About}. Licence: {entry.Licence}."); }
            return ExitCodes.Succeeded;
        }

        var target = folder ?? DataRoots.Downloads ?? throw new BadInputException("there is no folder for application data here: say where to put the files with --data DIR");
        using var client = new HttpClient { Timeout = Timeout };
        var files = await DataDownload.GetAsync(name, target, client, new Progress<string>(Console.WriteLine), cancellationToken);
        foreach (var file in files) { Console.WriteLine(file); }
        return ExitCodes.Succeeded;
    }
}
