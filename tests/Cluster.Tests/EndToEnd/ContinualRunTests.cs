using System.Text.Json;
using Cluster.Tests.Continual;

namespace Cluster.Tests.EndToEnd;

/// <summary>Continual jobs as a user runs them.</summary>
[Collection(EndToEndTests.Name)]
public sealed class ContinualRunTests : IDisposable
{
    private readonly string _store = Directory.CreateTempSubdirectory("cluster-continual-").FullName;

    /// <summary>Two stages with a release each, long enough to be killed in each; the four phases end with rounds 40, 62, 102 and 124.</summary>
    private const string Long = """
        name: continual
        method: continual
        model: { kind: gpt, layers: 1, width: 32, heads: 2, context: 32, dropout: 0.1 }
        batch: 24
        leaf: 5
        optimizer: { kind: adamw }
        continual:
          schedule: { kind: infinite, max: 5e-3, constant: 2e-3, min: 2e-4, warmupEnd: 5, cooldownEnd: 25 }
          stages:
            - name: plays
              data: { kind: text, files: [text/tinyshakespeare.txt] }
              updates: 40
              release: { updates: 20 }
            - name: prose
              data: { kind: text, files: [text/wilhelm-meister.txt] }
              updates: 40
              mixture: { kind: replay, share: 0.5 }
              moments: reset
              release: { updates: 20, mixture: { kind: equal } }
        checkpoint: { everyRounds: 5 }
        evaluate: { samples: 64 }
        """;

    /// <summary>Killed in the first branch; with <c>CLUSTER_KILL_RUNS</c> then also in the trunk and in the second branch.</summary>
    [Fact]
    public void Killed_in_a_branch_and_in_the_trunk_it_resumes_to_the_same_bits()
    {
        var spec = Write("long.yaml", Long);
        var whole = Answer(Tool.RunJob(spec, Path.Combine(_store, "whole"), "--workers", "2"));
        var store = Path.Combine(_store, "killed");
        Directory.CreateDirectory(store);
        var kills = Environment.GetEnvironmentVariable("CLUSTER_KILL_RUNS") is null ? 1 : 3;
        foreach (var (round, index) in new[] { (50, 0), (80, 1), (110, 2) }.Take(kills))
        {
            using var run = Tool.Start(["run", spec, "--store", store, "--workers", $"{1 + (index % 2)}", .. index > 0 ? ["--resume"] : Array.Empty<string>()]);
            run.WaitUntil(() => Newest(store) >= round, $"a checkpoint of round {round}");
            run.KillAll();
        }

        Assert.Equal(whole, Answer(Tool.RunJob(spec, store, "--workers", "1", "--resume")));
    }

    [Fact]
    public async Task A_run_ends_with_a_release_that_a_fresh_process_lets_write()
    {
        var spec = Write("short.yaml", ContinualSamples.Yaml.Replace("  releases:", "  preview: {prompt: \"To be\", tokens: 20}\n  releases:", StringComparison.Ordinal));
        var result = Tool.Run("run", spec, "--store", _store);
        Assert.True(result.ExitCode == 0, result.All);
        foreach (var words in (string[])["release digits-8, update 8 + 2", "backward transfer", "round-000000023 writes:", "To be"]) { Assert.Contains(words, result.Output, StringComparison.Ordinal); }

        // The newest release by default, another one by name; the same text in this process and in one of its own.
        var job = Path.Combine(_store, "jobs", "three-texts-1");
        string[] generate = ["generate", job, "--prompt", "To be", "--tokens", "30", "--release", "plays", "--top-k", "40"];
        var here = await Tool.RunHereAsync(generate);
        Assert.True(here.ExitCode == 0, here.All);
        Assert.StartsWith("To be", here.Output, StringComparison.Ordinal);
        Assert.Equal(here.Output, Tool.Run(generate).Output);
        Assert.NotEqual(here.Output, (await Tool.RunHereAsync([.. generate, "--seed", "2"])).Output);
        Assert.Contains("it has digits, digits-8, plays", (await Tool.RunHereAsync("generate", job, "--release", "names")).Error, StringComparison.Ordinal);

        // Another job begins from the trunk, and from a release only where it is named.
        var start = $"continual.start={{checkpoint: '{job}/checkpoints/round-000000010'}}";
        var refused = await Tool.RunHereAsync("run", spec, "--store", _store, "--set", start);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("is annealed: it is on the branch of release plays", refused.Error, StringComparison.Ordinal);
        Assert.Contains("Begin from its fork, round-000000006, or name it with release: plays", refused.Error, StringComparison.Ordinal);
        var named = Tool.RunJob(spec, _store, "--set", start, "continual.start.release=plays");
        Assert.True(named.Result.ExitCode == 0, named.Result.All);
        Assert.Contains("weightsSha256: ", File.ReadAllText(Path.Combine(_store, "jobs", "three-texts-2", "spec.yaml")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_that_change_under_a_job_are_refused_and_nothing_is_lost()
    {
        var text = Path.Combine(_store, "own.txt");
        File.WriteAllText(text, string.Concat(Enumerable.Repeat("what the job was begun with. ", 100)));
        var spec = Write("own.yaml", ContinualSamples.Yaml.Replace("text/tinyshakespeare.txt", text, StringComparison.Ordinal));
        Assert.Equal(0, Tool.Run("run", spec, "--store", _store).ExitCode);

        File.AppendAllText(text, "more");
        var refused = await Tool.RunHereAsync("run", spec, "--store", _store, "--resume");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("the data of stage 'plays' changed since", refused.Error, StringComparison.Ordinal);
        Assert.Equal(28, Newest(_store));

        File.WriteAllText(text, "");
        var empty = await Tool.RunHereAsync("run", spec, "--store", _store);
        Assert.Equal(2, empty.ExitCode);
        Assert.Contains($"stage 'plays': {text} is empty", empty.Error, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_store, recursive: true);

    private string Write(string name, string text)
    {
        var path = Path.Combine(_store, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static long Newest(string store) => Directory.Exists(Path.Combine(store, "jobs"))
        ? Directory.EnumerateDirectories(Path.Combine(store, "jobs"), "round-*", SearchOption.AllDirectories).Select(path => long.Parse(Path.GetFileName(path)["round-".Length..])).DefaultIfEmpty(-1).Max()
        : -1;

    /// <summary>The trunk's weights; and all that was measured at milestones, which the manifests keep.</summary>
    private static (string Trunk, string Releases) Answer((ToolResult Result, JsonElement Report) run)
    {
        Assert.True(run.Result.ExitCode == 0, run.Result.All);
        var folder = Path.GetDirectoryName(run.Report.GetProperty("checkpoint").GetString()!)!;
        var milestones = Directory.EnumerateFiles(folder, "manifest.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(path => JsonDocument.Parse(File.ReadAllText(path)).RootElement)
            .Where(manifest => manifest.GetProperty("lineage").GetProperty("kind").GetString() is "Release" or "PreAnneal")
            .Select(manifest => $"{manifest.GetProperty("weightsSha256")} {manifest.GetProperty("lineage").GetRawText()}");
        return (run.Report.GetProperty("weightsSha256").GetString()!, string.Join('\n', milestones));
    }
}
