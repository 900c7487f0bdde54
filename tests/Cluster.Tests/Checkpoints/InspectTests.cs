using Cluster.Contracts;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Tests.Checkpoints;

public sealed class InspectTests : IDisposable
{
    private readonly CheckpointFixture _fixture = new();

    private string SaveKnown(long round)
    {
        var state = CheckpointFixture.EmptyState();
        var theta = state.Buffers[0].Buffer;
        foreach (var segment in state.Layout.Segments) { theta.Slice(segment.Offset, segment.Length).Fill(2); }
        new[] { 1f, -3f, float.NaN }.CopyTo(theta.Slice(state.Layout.Segments.Single(s => s.Name == "conv.bias").Offset, 3));
        using var writer = _fixture.Open();
        return writer.Save(state, round, samplesSeen: 640).Path;
    }

    [Fact]
    public void A_checkpoint_is_described_and_verified()
    {
        var report = CheckpointInspector.Inspect(SaveKnown(10) + "/");

        Assert.Empty(report.Problems);
        Assert.Empty(report.Checkpoints);
        Assert.Equal(("digits", 10L, 640L), (report.Manifest!.SpecName, report.Manifest.Round, report.Manifest.SamplesSeen));
        Assert.Equal(48, report.Parameters);
        Assert.Equal(JobLayout.CheckpointFiles, report.Files.Select(f => f.Name));
        Assert.All(report.Files, f => Assert.True(f.Problem is null && f.Sha256!.Length == 64 && f.Bytes > 0));
        Assert.Equal(CheckpointFixture.Layout.Segments.Select(s => s.Name), report.Tensors.Select(t => t.Name));

        var weight = report.Tensors.Single(t => t.Name == "fc.weight");
        Assert.Equal(("F32", 2.0, 2.0, 2f, 2f, 0L), (weight.Dtype, weight.Mean, weight.Rms, weight.Min, weight.Max, weight.NonFinite));
        Assert.Equal("5 7", string.Join(' ', weight.Shape));
        var bias = report.Tensors.Single(t => t.Name == "conv.bias");
        Assert.Equal((-1.0, Math.Sqrt(5), -3f, 1f, 1L), (bias.Mean, bias.Rms, bias.Min, bias.Max, bias.NonFinite));
        Assert.Equal(0, report.Tensors.Single(t => t.Name == "nothing").Max);
    }

    [Fact]
    public void A_job_shows_its_newest_intact_checkpoint_and_lists_all()
    {
        var older = SaveKnown(10);
        var newer = SaveKnown(20);
        File.Delete(Path.Combine(newer, JobLayout.Optimizer));
        File.WriteAllText(Path.Combine(_fixture.JobDirectory, JobLayout.Spec), "name: job"); // A job's folder keeps its spec too.
        foreach (var path in new[] { _fixture.JobDirectory, _fixture.Folder })
        {
            var report = CheckpointInspector.Inspect(path);
            Assert.Equal(older, report.Path);
            Assert.Equal([(20L, "optimizer.safetensors is missing"), (10L, null)], report.Checkpoints.Select(c => (c.Round, c.Problem)));
        }
    }

    [Fact]
    public void A_damaged_checkpoint_is_shown_with_what_is_wrong()
    {
        var path = SaveKnown(10);
        File.AppendAllText(Path.Combine(path, JobLayout.Spec), "# edited");
        File.Delete(Path.Combine(path, JobLayout.Optimizer));
        var report = CheckpointInspector.Inspect(path);
        Assert.Equal(2, report.Problems.Length);
        Assert.Contains("optimizer.safetensors is missing", report.Problems);
        Assert.Contains(report.Problems, p => p.StartsWith("spec.yaml has", StringComparison.Ordinal));
        Assert.Equal(7, report.Tensors.Length);
        Assert.Equal(10, report.Manifest!.Round);
    }

    [Fact]
    public void A_checkpoint_without_manifest_still_shows_its_tensors()
    {
        var path = SaveKnown(10);
        File.Delete(Path.Combine(path, JobLayout.Manifest));
        var report = CheckpointInspector.Inspect(path);
        Assert.Equal("manifest.json is missing", Assert.Single(report.Problems));
        Assert.Null(report.Manifest);
        Assert.Equal((48L, 7), (report.Parameters!.Value, report.Tensors.Length));
    }

    [Fact]
    public void A_bare_file_is_described()
    {
        var path = Path.Combine(SaveKnown(10), JobLayout.Optimizer);
        var report = CheckpointInspector.Inspect(path);
        Assert.Equal(path, report.Path);
        Assert.Equal("m.conv.weight", report.Tensors[0].Name);
        Assert.Equal("digits", report.Metadata["job"]);
        Assert.Null(report.Manifest);
    }

    [Fact]
    public void What_is_no_checkpoint_is_bad_input()
    {
        string Message(string path) => Assert.Throws<BadInputException>(() => CheckpointInspector.Inspect(path)).Message;

        Assert.EndsWith("does not exist", Message(Path.Combine(_fixture.JobDirectory, "no")));
        Assert.Contains("holds no checkpoint; name a checkpoint (round-000000120), a job's folder or a .safetensors file", Message(_fixture.JobDirectory));
        var file = Path.Combine(_fixture.JobDirectory, "x.txt");
        File.WriteAllText(file, "short");
        Assert.Contains("x.txt: the file has 5 bytes", Message(file));
    }

    public void Dispose() => _fixture.Dispose();
}
