using System.Text.Json;
using Cluster.Tests.Continual;

namespace Cluster.Tests.EndToEnd;

/// <summary><c>cluster run</c> of a job whose releases anneal in jobs of their own.</summary>
[Collection(EndToEndTests.Name)]
public sealed class BranchRunTests : IDisposable
{
    private readonly string _store = Directory.CreateTempSubdirectory("cluster-branches-").FullName;

    public void Dispose() => Directory.Delete(_store, recursive: true);

    private static string[] Apart => [.. ContinualSamples.Apart.SelectMany(change => new[] { "--set", change })];

    /// <summary>With one worker the branches come after the trunk. Killed while the second is at work, it goes on.</summary>
    [Fact]
    public async Task A_run_ends_when_trunk_and_branches_have_and_names_the_releases()
    {
        var spec = Path.Combine(_store, "texts.yaml");
        File.WriteAllText(spec, ContinualSamples.Yaml);
        var within = Tool.RunJob(spec, Path.Combine(_store, "within"));
        Assert.True(within.Result.ExitCode == 0, within.Result.All);

        var store = Path.Combine(_store, "apart");
        Directory.CreateDirectory(store);
        using (var run = Tool.Start(["run", spec, "--store", store, .. Apart]))
        {
            run.WaitUntil(() => Directory.Exists(Path.Combine(store, "jobs", "three-texts-1.digits-8", "checkpoints")), "the second branch");
            run.KillAll();
        }

        var (result, report) = Tool.RunJob(spec, store, ["--resume", "--workers", "2", .. Apart]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(within.Report.GetProperty("weightsSha256").GetString(), report.GetProperty("weightsSha256").GetString());
        var folder = Path.Combine(_store, "within", "jobs", "three-texts-1");
        var branches = report.GetProperty("branches").EnumerateArray().ToArray();
        Assert.Equal(["plays", "digits-8", "digits"], branches.Select(branch => branch.GetProperty("release").GetString()));
        Assert.Equal(
            new[] { 10, 16, 23 }.Select(round => Manifest(Path.Combine(folder, "checkpoints", $"round-{round:d9}")).GetProperty("weightsSha256").GetString()),
            branches.Select(branch => branch.GetProperty("weightsSha256").GetString()));
        foreach (var branch in branches)
        {
            Assert.Equal("Succeeded", branch.GetProperty("state").GetString());
            Assert.Contains(Path.Combine(branch.GetProperty("checkpoint").GetString()!, "model.safetensors"), result.Output, StringComparison.Ordinal);
        }

        // The lineage has them beside the trunk, and what was forgotten is what it was.
        var trunk = Path.Combine(store, "jobs", "three-texts-1");
        Assert.Contains("release digits-8, update 8 + 2, digits, 1,280 tokens", result.Output, StringComparison.Ordinal);
        Assert.Contains("three-texts-1.digits-8 round-000000003", result.Output, StringComparison.Ordinal);
        Assert.Equal(await MatrixAsync(folder), await MatrixAsync(trunk));
        Assert.Contains("forked from three-texts-1", (await Tool.RunHereAsync("lineage", $"{trunk}.plays")).Output, StringComparison.Ordinal);

        // A release writes the same text, wherever it annealed.
        string[] generate = ["--prompt", "To be", "--tokens", "30", "--release", "plays"];
        Assert.Equal((await Tool.RunHereAsync(["generate", folder, .. generate])).Output, (await Tool.RunHereAsync(["generate", trunk, .. generate])).Output);
    }

    [Fact]
    public async Task Workers_that_a_release_would_wait_for_for_ever_are_said_at_once()
    {
        var spec = Path.Combine(_store, "texts.yaml");
        File.WriteAllText(spec, ContinualSamples.Yaml);
        var result = await Tool.RunHereAsync(["run", spec, "--store", _store, .. Apart, "--set", "continual.releases[0].workers={min: 3}", "--workers", "2"]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("release digits-8 asks for 3 workers of its own, and there are 2", result.Error, StringComparison.Ordinal);
    }

    private static JsonElement Manifest(string path) => JsonDocument.Parse(File.ReadAllText(Path.Combine(path, "manifest.json"))).RootElement;

    /// <summary>Without the peaks, which are over the evaluations that were made between: rounds count other updates where branches have none.</summary>
    private static async Task<string[]> MatrixAsync(string folder)
    {
        var result = await Tool.RunHereAsync("lineage", folder, "--json");
        var matrix = JsonDocument.Parse(result.Output).RootElement.GetProperty("matrix");
        return [.. new[] { "stages", "after", "losses", "accuracies", "untrained" }.Select(key => matrix.GetProperty(key).GetRawText())];
    }
}
