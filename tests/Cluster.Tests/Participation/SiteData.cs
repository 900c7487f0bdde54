using Cluster.Contracts.Spec;
using Cluster.Tests.Data;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;

namespace Cluster.Tests.Participation;

/// <summary>Three hospitals, each with a folder of digits of its own: 100, 150 and 200 of them.</summary>
internal sealed class SiteData : IDisposable
{
    public static readonly string[] Names = ["hospital-a", "hospital-b", "hospital-c"];

    private readonly TemporaryFolder _folder = new();

    public SiteData()
    {
        var lines = File.ReadLines(Path.Combine(DataRoots.Shipped, "digits", "optdigits.tra")).ToArray();
        for (var (i, first) = (0, 0); i < Names.Length; i++)
        {
            var count = 100 + (50 * i);
            Directory.CreateDirectory(FolderOf(Names[i]));
            File.WriteAllLines(Path.Combine(FolderOf(Names[i]), "optdigits.tra"), lines.Skip(first).Take(count));
            first += count;
        }
    }

    public static string Spec(int rounds, string more = "") => $$"""
        name: hospitals
        method: fedHyper
        model: { kind: mlp, hidden: [32] }
        data: { kind: digits }
        rounds: {{rounds}}
        federated:
          partition: { kind: sites, clients: [{{string.Join(", ", Names)}}] }
          clientsPerRound: 3
          participation: { quorum: 0.6, deadlineSeconds: 60 }
          localEpochs: 2
          localBatch: 16
          localLr: 0.01
          scheduler: { kind: fedHyper, variant: g+cl }
          server: { kind: fedAvgM }
        {{more}}
        """;

    public string FolderOf(string site) => Path.Combine(_folder.Path, site);

    public SiteFolder Folder(string site) => new(site, FolderOf(site));

    /// <summary>What no process of a cluster sees: the data of all sites at once.</summary>
    public FederatedData All(JobSpec spec)
    {
        var each = Names.Select(site => FederatedData.Open(spec, [DataRoots.Shipped], Folder(site))).ToArray();
        return each[0] with { Clients = [.. each.Select((data, i) => data.Clients[i] with { IsSite = false })] };
    }

    public void Dispose() => _folder.Dispose();
}
