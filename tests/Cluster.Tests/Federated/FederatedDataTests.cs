using System.Text;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Tests.Data;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Core.Data.Tokens;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Federated;

/// <summary>Who holds what, read from real files.</summary>
public sealed class FederatedDataTests
{
    private const string Play = """
        First Citizen:
        We are accounted poor citizens: the patricians good.
        What authority surfeits on would relieve us.

        Second Citizen:
        Would you proceed?

        First Citizen:
        Very well,

        and could be content to give him good report.

        """;

    [Fact]
    public void A_play_is_taken_apart_by_speakers()
    {
        var speakers = Speakers.Of(Encoding.UTF8.GetBytes(Play.ReplaceLineEndings("\n")), "a.txt");
        Assert.Equal(["First Citizen", "Second Citizen"], speakers.Select(speaker => speaker.Name));
        Assert.Equal(
            "We are accounted poor citizens: the patricians good.\nWhat authority surfeits on would relieve us.\n\nVery well,\n\nand could be content to give him good report.\n",
            Encoding.UTF8.GetString(speakers[0].Text));
        Assert.Equal("Would you proceed?\n\n", Encoding.UTF8.GetString(speakers[1].Text));
        Assert.Equal(speakers[0].Text, Speakers.Of(Encoding.UTF8.GetBytes(Play.ReplaceLineEndings("\r\n")), "a.txt")[0].Text);
        Assert.Contains("nobody speaks in a.txt", Assert.Throws<BadInputException>(() => Speakers.Of("No play.\n"u8, "a.txt")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tiny_Shakespeare_has_its_great_parts()
    {
        var data = Open("kind: text, files: [text/tinyshakespeare.txt]", "{kind: speaker, clients: 40}", "gpt, context: 8, layers: 1, width: 8, heads: 1");
        Assert.Equal(40, data.Clients.Length);
        Assert.Equal(["GLOUCESTER", "DUKE VINCENTIO", "KING RICHARD II"], data.Clients.Take(3).Select(client => client.Name));
        Assert.All(data.Clients, client => Assert.Equal(client.Set.Count, client.Samples.Length));
        Assert.True(data.Clients[0].Samples.Length > data.Clients[39].Samples.Length);
        Assert.InRange((double)data.Evaluation.Count / (data.Evaluation.Count + data.Clients.Sum(client => client.Samples.Length)), 0.09, 0.11);
    }

    [Fact]
    public void A_client_may_be_limited_to_its_first_samples()
    {
        var all = Open("kind: digits", "{kind: iid, clients: 7}");
        var few = Open("kind: digits", "{kind: iid, clients: 7}", federated: ", maxExamples: 100");
        Assert.All(few.Clients.Zip(all.Clients), pair => Assert.Equal(pair.Second.Samples[..100], pair.First.Samples));
    }

    [Fact]
    public void Each_folder_is_a_client_and_the_jobs_own_data_are_evaluated()
    {
        using var folder = new TemporaryFolder();
        var digits = File.ReadAllLines(Path.Combine(DataRoots.Shipped, "digits", "optdigits.tra"));
        foreach (var (name, lines) in (ReadOnlySpan<(string, string[])>)[("a", digits[..50]), ("b", digits[50..180])])
        {
            Directory.CreateDirectory(Path.Combine(folder.Path, name));
            File.WriteAllLines(Path.Combine(folder.Path, name, "optdigits.tra"), lines);
        }

        var data = Open("kind: digits", $"{{kind: folders, clients: [{{name: hospital-a, path: {folder.Path}/a}}, {{name: hospital-b, path: {folder.Path}/b}}]}}", clientsPerRound: 2);
        Assert.Equal([("hospital-a", 50), ("hospital-b", 130)], data.Clients.Select(client => (client.Name, client.Samples.Length)));
        Assert.Equal(1_797, data.Evaluation.Count);
    }

    [Fact]
    public void Each_file_is_a_client_with_a_part_for_evaluation()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, "a.txt"), new string('a', 200));
        File.WriteAllText(Path.Combine(folder.Path, "b.txt"), new string('b', 1_000));
        var data = Open($"kind: text, files: [{folder.Path}/a.txt, {folder.Path}/b.txt]", "{kind: files, clients: 2}", "gpt, context: 8, layers: 1, width: 8, heads: 1", clientsPerRound: 2);

        Assert.Equal([((180 - 9) / 8) + 1, ((900 - 9) / 8) + 1], data.Clients.Select(client => client.Samples.Length));
        Assert.Equal(((20 - 9) / 8) + 1 + ((100 - 9) / 8) + 1, data.Evaluation.Count);
        using var batch = data.Clients[1].Set.Gather([3], 0, CPU);
        Assert.All(batch.Inputs.data<long>().ToArray(), token => Assert.Equal('b', token));
    }

    [Fact]
    public void A_client_without_data_is_named()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, "a.txt"), new string('a', 200));
        File.WriteAllText(Path.Combine(folder.Path, "b.txt"), "short");
        var wrong = Assert.Throws<BadInputException>(() => Open(
            $"kind: text, files: [{folder.Path}/a.txt, {folder.Path}/b.txt]", "{kind: files, clients: 2}", "gpt, context: 8, layers: 1, width: 8, heads: 1", clientsPerRound: 2));
        Assert.Contains($"the training part of client '{folder.Path}/b.txt' has 4 bytes", wrong.Message, StringComparison.Ordinal);

        wrong = Assert.Throws<BadInputException>(() => Open("kind: text, files: [text/tinyshakespeare.txt]", "{kind: speaker, clients: 1000}", "gpt, context: 8, layers: 1, width: 8, heads: 1"));
        Assert.Contains("federated.partition.clients: found 1000, but ", wrong.Message, StringComparison.Ordinal);
        Assert.EndsWith("tinyshakespeare.txt has 309 speakers", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Joined_sets_give_each_sample_from_its_own()
    {
        using var scope = NewDisposeScope();
        CausalWindows[] sets = [.. new[] { "aaaaaaaaa", "bbbbbbbbbbbbb", "ccccc" }.Select(text => new CausalWindows(new ByteRun(Encoding.ASCII.GetBytes(text)), 4, "a test"))];
        var joined = new JoinedSet(sets);
        Assert.Equal(2 + 3 + 1, joined.Count);
        Assert.Equal("aabbbc", Letters(joined.Gather([0, 1, 2, 3, 4, 5], 0, CPU)));
        Assert.Equal("cabba", Letters(joined.Gather([5, 1, 2, 3, 0], 0, CPU)));
        Assert.Throws<ArgumentOutOfRangeException>(() => joined.Gather([6], 0, CPU));

        static string Letters(Batch batch) => new([.. batch.Inputs.select(1, 0).data<long>().ToArray().Select(token => (char)token)]);
    }

    private static FederatedData Open(string data, string partition, string model = "mlp", string federated = "", int clientsPerRound = 3) =>
        FederatedData.Open(
            SpecReader.Read(
                $$"""
                name: a
                method: fedHyper
                model: {kind: {{model}}}
                data: { {{data}} }
                rounds: 3
                federated: {partition: {{partition}}, clientsPerRound: {{clientsPerRound}}, localSteps: 3, localLr: 0.01{{federated}}}
                """, "a.yaml").Require(),
            [DataRoots.Shipped]);
}
