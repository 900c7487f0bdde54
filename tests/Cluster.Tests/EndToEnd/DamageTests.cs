using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Cluster.Tests.EndToEnd;

/// <summary>Damage to what a job has saved, and damage while it runs: said in words, and nothing already saved is lost.</summary>
[Collection(EndToEndTests.Name)]
public sealed class DamageTests(DamageTests.SavedJob saved) : IClassFixture<DamageTests.SavedJob>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cluster-damage-").FullName;

    [Theory]
    [InlineData("model.safetensors", "cut")]
    [InlineData("optimizer.safetensors", "bit")]
    [InlineData("manifest.json", "cut")]
    [InlineData("manifest.json", "text")]
    [InlineData("spec.yaml", "missing")]
    public async Task A_damaged_checkpoint_is_found_by_inspect(string file, string damage)
    {
        var checkpoint = Checkpoints(CopyOfJob())[^1];
        var intact = await Tool.RunHereAsync("inspect", checkpoint);
        Assert.True(intact.ExitCode == 0, intact.All);

        Damage(Path.Combine(checkpoint, file), damage);
        var damaged = await Tool.RunHereAsync("inspect", checkpoint);
        Assert.True(damaged.ExitCode == 2, damaged.All);
        Assert.Contains(file, damaged.Output.Split('\n').Last(line => line.Trim().Length > 0), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", damaged.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_of_a_jobs_folder_shows_which_checkpoints_are_intact()
    {
        var job = CopyOfJob();
        Damage(Path.Combine(Checkpoints(job)[^1], "model.safetensors"), "cut");
        var result = await Tool.RunHereAsync("inspect", job);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.All(Checkpoints(job), checkpoint => Assert.Contains(Path.GetFileName(checkpoint), result.Output, StringComparison.Ordinal));
        Assert.Contains("model.safetensors", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_refuses_what_is_no_checkpoint()
    {
        var file = Path.Combine(_folder, "weights.safetensors");
        File.WriteAllText(file, "not a tensor");
        foreach (var path in (string[])[file, _folder])
        {
            var result = await Tool.RunHereAsync("inspect", path);
            Assert.True(result.ExitCode == 2, result.All);
            Assert.Contains(Path.GetFileName(path), result.All, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Resume_passes_over_a_damaged_checkpoint_and_comes_to_the_same_weights()
    {
        var job = CopyOfJob();
        var newest = Checkpoints(job)[^1];
        Damage(Path.Combine(newest, "model.safetensors"), "bit");

        var (result, report) = Tool.RunJob(saved.Spec, _folder, "--workers", "1", "--resume");
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains(report.GetProperty("notices").EnumerateArray(), notice => notice.GetString()!.StartsWith($"{newest} was passed over: ", StringComparison.Ordinal));
        Assert.Equal(saved.Report.GetProperty("weightsSha256").GetString(), report.GetProperty("weightsSha256").GetString());
    }

    [Fact]
    public async Task Resume_with_every_checkpoint_damaged_is_refused_with_a_reason_for_each()
    {
        var job = CopyOfJob();
        foreach (var checkpoint in Checkpoints(job)) { Damage(Path.Combine(checkpoint, "model.safetensors"), "cut"); }
        var error = await RefusesResume("holds no intact checkpoint; run without --resume to begin again");
        Assert.All(Checkpoints(job), checkpoint => Assert.Contains($"{Path.GetFileName(checkpoint)} was refused: ", error, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Resume_in_the_store_of_another_spec_shows_what_differs()
    {
        var job = CopyOfJob();
        var before = Files(job);
        var error = await RefusesResume("is the job of another spec", "--set", "schedule.lr=0.5");
        Assert.Contains("- lr: 0.01", Squeezed(error), StringComparison.Ordinal);
        Assert.Contains("+ lr: 0.5", Squeezed(error), StringComparison.Ordinal);
        Assert.Equal(before, Files(job));
    }

    [Fact]
    public async Task Resume_refuses_a_checkpoint_that_another_job_wrote()
    {
        var job = CopyOfJob();
        Directory.Move(job, job[..^1] + "2");
        await RefusesResume("it belongs to job 'saved-1', not to 'saved-2'");
    }

    [Fact]
    public async Task Resume_refuses_a_job_whose_spec_is_damaged()
    {
        Damage(Path.Combine(CopyOfJob(), "spec.yaml"), "text");
        await RefusesResume("spec.yaml is damaged");
    }

    [Fact]
    public void A_second_run_of_a_spec_leaves_the_first_ones_files_alone()
    {
        var job = CopyOfJob();
        var before = Files(job);
        var result = Tool.Run("run", saved.Spec, "--store", _folder, "--workers", "1", "--set", "rounds=2", "--json", "/dev/full");
        Assert.True(result.ExitCode == 2, result.All);
        Assert.Contains("--json: /dev/full cannot be written: ", result.Error, StringComparison.Ordinal);
        Assert.Contains("Succeeded", result.Output, StringComparison.Ordinal);
        Assert.Equal(before, Files(job));
    }

    /// <summary>Plain SGD goes well for ten rounds, and then takes steps of a million times the gradient.</summary>
    [Fact]
    public async Task A_loss_that_turns_NaN_ends_the_job_after_the_set_number_of_skips_and_keeps_the_last_good_checkpoint()
    {
        var spec = Write("""
            name: nan
            method: lamb
            model: { kind: mlp, hidden: [8] }
            data: { kind: digits }
            batch: 64
            leaf: 32
            optimizer: { kind: sgd }
            checkpoint: { everyRounds: 1, keep: 2 }
            nonFinite: { maxSkips: 6 }
            stages:
              - { rounds: 10, schedule: { lr: 0.05 } }
              - { rounds: 90, schedule: { lr: 1000000, decay: constant } }
            """);
        var (result, report) = Tool.RunJob(spec, _folder, "--workers", "2");

        Assert.True(result.ExitCode == 1, result.All);
        Assert.Equal("Failed", report.GetProperty("state").GetString());
        Assert.Equal(6, report.GetProperty("skippedRounds").GetInt64());
        var reason = report.GetProperty("reason").GetString()!;
        Assert.Contains("6 rounds in a row were skipped", reason, StringComparison.Ordinal);
        Assert.Contains("nonFinite.maxSkips is 6", reason, StringComparison.Ordinal);
        Assert.Contains("of which 6 skipped", result.Output, StringComparison.Ordinal);
        Assert.Equal(6, report.GetProperty("notices").EnumerateArray().Count(notice => notice.GetString()!.Contains("was skipped: ", StringComparison.Ordinal)));

        var rounds = report.GetProperty("rounds").GetInt64();
        var checkpoint = report.GetProperty("checkpoint").GetString()!;
        Assert.InRange(long.Parse(Path.GetFileName(checkpoint)["round-".Length..], CultureInfo.InvariantCulture), 1, rounds - 6);
        Assert.Equal(checkpoint, Checkpoints(Path.Combine(_folder, "jobs", "nan-1"))[^1]);
        var inspected = await Tool.RunHereAsync("inspect", checkpoint);
        Assert.True(inspected.ExitCode == 0, inspected.All);
    }

    [Fact]
    public async Task A_worker_that_is_killed_is_replaced_and_the_job_goes_on()
    {
        var job = Path.Combine(_folder, "jobs", "saved-1");
        using var run = Tool.Start("run", saved.Spec, "--store", _folder, "--workers", "2", "--set", "rounds=3000");
        run.WaitUntil(() => Checkpoints(job).Length > 0, "a first checkpoint");
        using (var worker = Process.GetProcessById(run.Worker("worker-1"))) { worker.Kill(); }

        var result = run.End();
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains("worker-1 (process ", result.Output, StringComparison.Ordinal);
        Assert.Contains("ended with code 137 and is replaced", result.Output, StringComparison.Ordinal);
        Assert.Contains("generation 2: ", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
        var inspected = await Tool.RunHereAsync("inspect", Checkpoints(job)[^1]);
        Assert.True(inspected.ExitCode == 0, inspected.All);
    }

    /// <summary>A disk of its own, in a mount namespace of its own, with room for one checkpoint and not for two.</summary>
    [SkippableFact]
    public void A_full_disk_costs_the_new_checkpoint_and_no_older_one()
    {
        const string script = """
            mount -t tmpfs -o size=400k none "$1" || exit 99
            dotnet "$2" run "$3" --store "$1" --workers 1; echo "run ended with $?"
            dotnet "$2" inspect "$1/jobs/full-1/checkpoints/round-000000010"; echo "inspect ended with $?"
            ls "$1/jobs/full-1/checkpoints"
            """;
        Skip.IfNot(OperatingSystem.IsLinux() && File.Exists("/usr/bin/unshare"), "needs unshare");
        var disk = Directory.CreateDirectory(Path.Combine(_folder, "disk")).FullName;
        var spec = Write("""
            name: full
            method: lamb
            model: { kind: mlp, hidden: [256] }
            data: { kind: digits }
            batch: 64
            rounds: 15
            schedule: { lr: 0.01 }
            checkpoint: { everyRounds: 10 }
            evaluate: { samples: 100 }
            """);
        using var run = Tool.StartProgram("unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", disk, Tool.Path, spec);
        var result = run.End();
        Skip.If(result.ExitCode is 1 or 99, $"no mount namespace here: {result.Error.Trim()}");

        Assert.Contains("run ended with 1\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("The checkpoint of round 15 was not saved: ", result.Output, StringComparison.Ordinal);
        Assert.Contains("The checkpoints before it are as they were.", result.Output, StringComparison.Ordinal);
        Assert.Contains("inspect ended with 0\n", result.Output, StringComparison.Ordinal);
        Assert.EndsWith("\nround-000000010\n", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
    }

    private async Task<string> RefusesResume(string message, params string[] options)
    {
        var result = await Tool.RunHereAsync(["run", saved.Spec, "--store", _folder, "--resume", .. options]);
        Assert.True(result.ExitCode == 2, result.All);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
        return result.Error;
    }

    private string Write(string spec)
    {
        var path = Path.Combine(_folder, "spec.yaml");
        File.WriteAllText(path, spec);
        return path;
    }

    /// <summary>The saved job in this test's own store.</summary>
    private string CopyOfJob()
    {
        var copy = Path.Combine(_folder, "jobs", "saved-1");
        foreach (var file in Directory.EnumerateFiles(saved.Job, "*", SearchOption.AllDirectories))
        {
            var to = Path.Combine(copy, Path.GetRelativePath(saved.Job, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }

        return copy;
    }

    private static void Damage(string path, string how)
    {
        var bytes = File.ReadAllBytes(path);
        switch (how)
        {
            case "cut": File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]); break;
            case "bit": bytes[^5] ^= 1; File.WriteAllBytes(path, bytes); break;
            case "text": File.WriteAllText(path, "{ \"round\": [ }"); break;
            case "missing": File.Delete(path); break;
            default: throw new ArgumentOutOfRangeException(nameof(how), how, "no such damage");
        }
    }

    /// <summary>Oldest first.</summary>
    private static string[] Checkpoints(string job) => Directory.Exists(Path.Combine(job, "checkpoints"))
        ? [.. Directory.EnumerateDirectories(Path.Combine(job, "checkpoints"), "round-*").Order(StringComparer.Ordinal)]
        : [];

    private static (string, string)[] Files(string folder) =>
    [
        .. from path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
           select (path, Convert.ToHexString(File.ReadAllBytes(path))),
    ];

    private static string Squeezed(string text) => string.Join(' ', text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A job that has ended well, with more than one checkpoint.</summary>
    public sealed class SavedJob : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("cluster-saved-").FullName;

        public SavedJob()
        {
            Spec = Path.Combine(_folder, "saved.yaml");
            File.WriteAllText(Spec, """
                name: saved
                method: lamb
                model: { kind: mlp, hidden: [8] }
                data: { kind: digits }
                batch: 64
                leaf: 32
                rounds: 800
                schedule: { lr: 0.01 }
                checkpoint: { everyRounds: 200, keep: 3 }
                evaluate: { samples: 100 }
                """);
            (var result, Report) = Tool.RunJob(Spec, _folder, "--workers", "1");
            Assert.True(result.ExitCode == 0, result.All);
            Assert.InRange(Checkpoints(Job).Length, 2, 3);
        }

        public string Spec { get; }

        public JsonElement Report { get; }

        public string Job => Path.Combine(_folder, "jobs", "saved-1");

        public void Dispose() => Directory.Delete(_folder, recursive: true);
    }
}
