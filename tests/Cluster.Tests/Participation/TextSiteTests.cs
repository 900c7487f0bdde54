using System.Text;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Tests.Data;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods.FedHyper;
using Cluster.Trainer.Rounds;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Participation;

/// <summary>Sites whose folders hold text.</summary>
[Collection(TorchTests.Name)]
public sealed class TextSiteTests : IDisposable
{
    private static readonly string[] s_sites = ["verona", "weimar"];

    private readonly TemporaryFolder _folder = new();

    public TextSiteTests()
    {
        Write("verona", "a.txt", new string('a', 400));
        Write("verona", "B.TXT", new string('b', 400));
        Write("verona", "notes.md", new string('c', 400));
        Write("weimar", "faust.txt", new string('d', 300));
    }

    [Fact]
    public void A_sites_folder_is_read_file_by_file_at_the_site_alone()
    {
        using var scope = NewDisposeScope();
        var data = At("verona");
        Assert.Equal([((800 - 9) / 8) + 1, 0], data.Clients.Select(client => client.Samples.Length));
        Assert.Equal("ba", Letters(data.Clients[0], 0, 98)); // Ordinal: "B.TXT" stands before "a.txt".
        Assert.Throws<InvalidOperationException>(() => data.Clients[1].Set.Gather([0], 0, CPU));
        Assert.Equal([0, ((300 - 9) / 8) + 1], At("weimar").Clients.Select(client => client.Samples.Length));

        // The job's own text is evaluated, the same on all workers.
        Assert.Equal(At("weimar").Evaluation.Count, data.Evaluation.Count);
        Assert.Equal(FederatedData.Open(Spec(1), [DataRoots.Shipped]).Evaluation.Count, data.Evaluation.Count);

        static string Letters(ClientData client, params long[] windows) =>
            new([.. client.Set.Gather(windows, 0, CPU).Inputs.select(1, 0).data<long>().ToArray().Select(token => (char)token)]);
    }

    [Fact]
    public void Folders_of_text_are_clients_too()
    {
        var folders = string.Join(", ", s_sites.Select(site => $"{{name: {site}, path: {Folder(site).Path}}}"));
        var data = FederatedData.Open(Spec(1, $"federated.partition={{kind: folders, clients: [{folders}]}}"), [DataRoots.Shipped]);
        Assert.Equal(s_sites, data.Clients.Select(client => client.Name));
        Assert.Equal([((800 - 9) / 8) + 1, ((300 - 9) / 8) + 1], data.Clients.Select(client => client.Samples.Length));
    }

    [Fact]
    public void A_folder_without_text_is_named()
    {
        File.Delete(Path.Combine(Folder("weimar").Path, "faust.txt"));
        Write("weimar", "faust.doc", "text");
        Assert.Equal($"{Folder("weimar").Path} has no file that ends in .txt", Assert.Throws<BadInputException>(() => At("weimar")).Message);
        Write("weimar", "faust.txt", "short");
        Assert.StartsWith($"the text in {Folder("weimar").Path} has 5 bytes, less than one window of 9", Assert.Throws<BadInputException>(() => At("weimar")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_rounds_and_scores_are_those_of_all_text_in_one_place()
    {
        var spec = Spec(2, "federated.localEvaluation={share: 0.25}");
        var one = Run(spec, [new FederatedMethod(spec, All(spec), CPU)], new FakeCrew((string?)null))[0];
        var crew = new FakeCrew("weimar", null, "verona");
        var ranks = Run(spec, [.. crew.Sites.Select(site => new FederatedMethod(spec, [DataRoots.Shipped], CPU, site is null ? null : Folder(site)))], crew);
        Assert.All(ranks, rank => Assert.Equal(one.Hash, rank.Hash));
        Assert.All(ranks, rank => Assert.Equal(one.Values.OrderBy(v => v.Key), rank.Values.Where(v => !v.Key.Contains('.', StringComparison.Ordinal)).OrderBy(v => v.Key)));
        Assert.Equal(one.Values["localEvalLossMax"], s_sites.Max(site => ranks[1].Values[$"localEvalLoss.{site}"]));
    }

    private static (ulong Hash, IReadOnlyDictionary<string, double> Values)[] Run(JobSpec spec, FederatedMethod[] methods, FakeCrew crew) => Ranks.Run(methods.Length, mesh =>
    {
        using var method = methods[mesh.Rank];
        var told = new Recorder();
        using var loop = new RoundLoop(method, spec, told);
        Assert.IsType<LoopEnd.Finished>(loop.Run(mesh, () => default, crew));
        return (StateHash.Of(method.State), (IReadOnlyDictionary<string, double>)told.EvaluationValues[^1]);
    });

    private FederatedData At(string site) => FederatedData.Open(Spec(1), [DataRoots.Shipped], Folder(site));

    private FederatedData All(JobSpec spec)
    {
        var each = s_sites.Select(site => FederatedData.Open(spec, [DataRoots.Shipped], Folder(site))).ToArray();
        return each[0] with { Clients = [.. each.Select((data, i) => data.Clients[i] with { IsSite = false })] };
    }

    private SiteFolder Folder(string site) => new(site, Path.Combine(_folder.Path, site));

    private void Write(string site, string file, string text)
    {
        Directory.CreateDirectory(Folder(site).Path);
        File.WriteAllText(Path.Combine(Folder(site).Path, file), text, Encoding.ASCII);
    }

    private static JobSpec Spec(int rounds, params string[] overrides) => SpecReader.Read(
        $$"""
        name: letters
        method: fedHyper
        model: {kind: gpt, context: 8, layers: 1, width: 8, heads: 2}
        data: {kind: text, files: [text/tinyshakespeare.txt], evaluationShare: 0.001}
        rounds: {{rounds}}
        federated:
          partition: {kind: sites, clients: [verona, weimar]}
          clientsPerRound: 2
          participation: {deadlineSeconds: 60}
          localSteps: 3
          localBatch: 8
          localLr: 0.05
        """, "letters.yaml", overrides).Require();

    public void Dispose() => _folder.Dispose();
}
