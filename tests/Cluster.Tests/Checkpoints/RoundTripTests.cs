using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.State;

namespace Cluster.Tests.Checkpoints;

public sealed class RoundTripTests : IDisposable
{
    private readonly CheckpointFixture _fixture = new();

    [Theory, InlineData(true), InlineData(false)]
    public void State_comes_back_bit_for_bit(bool moments)
    {
        var saved = CheckpointFixture.State(seed: 5, moments);
        _fixture.Save(round: 120, seed: 5, moments: moments);
        var loaded = CheckpointFixture.State(seed: 99, moments);

        var found = _fixture.Find(loaded).Found!;
        found.Load(loaded);

        Assert.Equal(CheckpointFixture.Bits(saved), CheckpointFixture.Bits(loaded));
        Assert.Equal(saved.Counters, loaded.Counters);
    }

    [Fact]
    public void Padding_is_zero_after_loading()
    {
        var path = _fixture.Save(round: 1);
        var loaded = CheckpointFixture.State(seed: 99);
        CheckpointStore.Load(path, loaded);

        foreach (var (_, buffer) in loaded.Buffers)
        {
            foreach (var segment in loaded.Layout.Segments.Where(s => s.End <= buffer.Length))
            {
                var end = (segment.End + Layout.Alignment - 1) / Layout.Alignment * Layout.Alignment;
                Assert.All(buffer.Slice(segment.End, end - segment.End).ToArray(), x => Assert.Equal(0, BitConverter.SingleToInt32Bits(x)));
            }
        }
    }

    [Fact]
    public void Weights_hash_covers_the_parameters_in_layout_order_and_nothing_else()
    {
        var state = CheckpointFixture.State(seed: 7);
        var theta = state.Buffers[0].Buffer;
        var bytes = state.Layout.Parameters.SelectMany(s => MemoryMarshal.AsBytes(theta.Slice(s.Offset, s.Length)).ToArray()).ToArray();
        var expected = Convert.ToHexStringLower(SHA256.HashData(bytes));
        Assert.Equal(expected, WeightsHash.Of(state.Layout, theta));

        theta.Span[(int)state.Layout.Statistics[0].Offset] += 1; // A statistic.
        theta.Span[(int)state.Layout.Parameters[1].End] += 1;    // Padding.
        Assert.Equal(expected, WeightsHash.Of(state.Layout, theta));

        MemoryMarshal.Cast<float, uint>(theta.Span)[(int)state.Layout.Parameters[^1].End - 1] ^= 1;
        Assert.NotEqual(expected, WeightsHash.Of(state.Layout, theta));
    }

    [Fact]
    public void Weights_hash_is_that_of_the_first_values_in_the_model_file()
    {
        var path = _fixture.Save(round: 3);
        var manifest = Checkpoint.ReadManifest(path);
        var file = File.ReadAllBytes(Path.Combine(path, JobLayout.Model));
        var values = file.AsSpan(8 + BitConverter.ToInt32(file, 0), (int)manifest.Parameters * sizeof(float));
        Assert.Equal(manifest.WeightsSha256, Convert.ToHexStringLower(SHA256.HashData(values)));
    }

    [Fact]
    public void Manifest_says_what_the_checkpoint_is()
    {
        using var writer = _fixture.Open();
        writer.Save(CheckpointFixture.State(1), round: 10, samplesSeen: 640);
        var saved = writer.Save(CheckpointFixture.State(2), round: 20, samplesSeen: 1280);

        var manifest = Checkpoint.Open(saved.Path).Manifest;
        Assert.Equal("round-000000020", Path.GetFileName(saved.Path));
        Assert.Equal(("digits", "lamb", "hash-of-the-spec", 20L, "round-000000010", 1280L),
            (manifest.Job, manifest.Method, manifest.SpecHash, manifest.Round, manifest.Parent, manifest.SamplesSeen));
        Assert.Equal(2, manifest.Counters["updates"]);
        Assert.Equal(48, manifest.Parameters);
        Assert.Equal(saved.WeightsSha256, manifest.WeightsSha256);
        Assert.Equal("test", manifest.Environment["processor"]);
        Assert.Equal(_fixture.Job.SpecText, File.ReadAllText(Path.Combine(saved.Path, JobLayout.Spec)));
        Assert.Equal(saved.Bytes, new DirectoryInfo(saved.Path).EnumerateFiles().Sum(f => f.Length));
    }

    [Fact]
    public void Tensors_bear_the_models_names_and_moments_their_own_before_them()
    {
        var path = _fixture.Save(round: 1);
        using var optimizer = SafeTensorsFile.Open(Path.Combine(path, JobLayout.Optimizer));
        var names = optimizer.Header.Tensors.Select(t => t.Name).ToArray();
        Assert.Equal("m.conv.weight", names[0]);
        Assert.Contains("v.fc.weight", names);
        Assert.DoesNotContain("v.bn.running_mean", names);
        Assert.Contains("average.bn.running_mean", names);
    }

    public void Dispose() => _fixture.Dispose();
}
