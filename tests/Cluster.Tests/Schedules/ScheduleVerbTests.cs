using Cluster.Tests.Api;
using Cluster.Tests.Continual;
using Cluster.Tests.EndToEnd;
using Cluster.Tests.Spec;

namespace Cluster.Tests.Schedules;

[Collection(ConsoleTests.Name)]
public sealed class ScheduleVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cluster-schedule-").FullName;

    [Fact]
    public async Task A_continual_schedule_is_shown_with_its_releases_and_plotted()
    {
        var png = Path.Combine(_folder, "plot.png");
        var result = await Tool.RunHereAsync("schedule", Write(ContinualSamples.Yaml), "--png", png);

        Assert.True(result.ExitCode == 0, result.All);
        foreach (var words in (string[])["plays", "release digits-8", "0.004", "0.0004", "┤"]) { Assert.Contains(words, result.Output, StringComparison.Ordinal); }
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], File.ReadAllBytes(png)[..4]);
    }

    /// <summary>Lengths in epochs follow from the data, which ship.</summary>
    [Fact]
    public async Task A_schedule_of_stages_is_shown_too()
    {
        var result = await Tool.RunHereAsync("schedule", Write(SpecSamples.Digits));
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains("stage-1", result.Output, StringComparison.Ordinal);
        Assert.Contains("60", result.Output, StringComparison.Ordinal); // 2 epochs of 3,823 samples in batches of 128.
    }

    [Theory]
    [InlineData("forward-forward-digits.yaml", 0, "constant")]
    [InlineData("physical-vowels.yaml", 0, "stage-1")]
    [InlineData("forwardgnn-cora.yaml", 2, "at the one rate schedule.lr")]
    [InlineData("fedhyper-digits.yaml", 2, "finds its learning rates while it trains")]
    public async Task Every_method_shows_its_schedule_or_says_why_it_has_none(string sample, int exitCode, string words)
    {
        var result = await Tool.RunHereAsync("schedule", Path.Combine(SpecSamples.Root, "samples", sample));
        Assert.True(result.ExitCode == exitCode, result.All);
        Assert.Contains(words, result.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_picture_that_cannot_be_written_is_bad_input()
    {
        var result = await Tool.RunHereAsync("schedule", Write(ContinualSamples.Yaml), "--png", Path.Combine(_folder, "nowhere", "plot.png"));
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("cannot be written", result.Error, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Write(string spec)
    {
        var path = Path.Combine(_folder, "spec.yaml");
        File.WriteAllText(path, spec);
        return path;
    }
}
