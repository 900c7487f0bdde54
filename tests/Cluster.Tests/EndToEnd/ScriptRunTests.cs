using Cluster.Cli.Up;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;

namespace Cluster.Tests.EndToEnd;

/// <summary>A job whose model is a file: what becomes of it when the file is damaged, or is another one when the job is resumed.</summary>
[Collection(EndToEndTests.Name)]
public sealed class ScriptRunTests : IDisposable
{
    private const string Job = """
        name: script
        method: lamb
        model: { kind: torchscript, file: net.pt }
        data: { kind: digits }
        batch: 64
        rounds: 2
        schedule: { lr: 0.01 }
        evaluate: { samples: 64 }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("cluster-script-run-").FullName;

    private string Net => Path.Combine(_folder, "net.pt");

    private string Store => Path.Combine(_folder, "store");

    private string Spec
    {
        get
        {
            var path = Path.Combine(_folder, "script.yaml");
            File.WriteAllText(path, Job);
            return path;
        }
    }

    [Fact]
    public async Task A_damaged_module_is_refused_before_anything_starts()
    {
        File.WriteAllBytes(Net, File.ReadAllBytes(Script("convolution.pt"))[..3000]);
        var result = await Tool.RunHereAsync("run", Spec, "--store", Store);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.StartsWith($"model.file: {Net} is no TorchScript archive, or is damaged", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_resumed_job_takes_no_other_file()
    {
        File.Copy(Script("convolution.pt"), Net);
        var (run, _) = Tool.RunJob(Spec, Store, "--workers", "1");
        Assert.True(run.ExitCode == 0, run.All);
        var kept = SpecReader.ReadFile(Directory.GetFiles(Store, "spec.yaml", SearchOption.AllDirectories)[0]).Require();
        Assert.NotNull(((ModelSpec.TorchScript)kept.Model).Sha256);

        File.Copy(Script("traced.pt"), Net, overwrite: true);
        var result = await Tool.RunHereAsync("run", Spec, "--store", Store, "--resume");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--resume: net.pt changed since", result.Error, StringComparison.Ordinal);
    }

    /// <summary>A worker that knows only the store trains what was uploaded, to the weights of a run that found the file beside its spec.</summary>
    [Fact]
    public async Task An_uploaded_module_is_trained_to_the_same_weights()
    {
        File.Copy(Script("convolution.pt"), Net);
        var (run, report) = Tool.RunJob(Spec, Path.Combine(_folder, "local"), "--workers", "1");
        Assert.True(run.ExitCode == 0, run.All);

        using var tool = Tool.Start("up", "--workers", "1", "--store", Store, "--port", "0", "--gateway-port", "0");
        tool.WaitUntil(() => AddressFile.Read(Store) is not null, "the cluster");
        using var cluster = new ClusterClient(new Uri(AddressFile.Read(Store)!.Url));
        await using (var file = File.OpenRead(Net)) { await cluster.UploadAsync("net.pt", file, CancellationToken.None); }
        File.Delete(Net);
        var job = await cluster.SubmitAsync(new SubmitRequest { Spec = Job.Replace("file: net.pt", "file: 'upload:net.pt'", StringComparison.Ordinal) }, CancellationToken.None);
        JobView? last = null;
        await foreach (var view in cluster.WatchAsync(job, new CancellationTokenSource(Tool.Deadline).Token)) { last = view; }

        Assert.Equal((JobState.Succeeded, report.GetProperty("weightsSha256").GetString()), (last!.State, last.WeightsSha256));

        // What a worker finds is not what was uploaded: the job fails, and says so.
        await File.WriteAllBytesAsync(Uploads.Find(Path.Combine(Store, "uploads"), "net.pt")!.FullName, await File.ReadAllBytesAsync(Script("traced.pt")));
        job = await cluster.SubmitAsync(new SubmitRequest { Spec = Job.Replace("file: net.pt", "file: 'upload:net.pt'", StringComparison.Ordinal) }, CancellationToken.None);
        await foreach (var view in cluster.WatchAsync(job, new CancellationTokenSource(Tool.Deadline).Token)) { last = view; }
        Assert.Equal(JobState.Failed, last.State);
        Assert.Contains("changed since it was recorded", last.Reason, StringComparison.Ordinal);
    }

    private static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Models", "Scripts", name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
