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

    private static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Models", "Scripts", name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
