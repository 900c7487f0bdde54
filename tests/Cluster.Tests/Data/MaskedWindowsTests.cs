using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Tokens;
using TorchSharp;

namespace Cluster.Tests.Data;

public sealed class MaskedWindowsTests
{
    /// <summary>Bytes 0 to 99, so that a random byte of 256 can be told from a kept one.</summary>
    private static readonly byte[] s_text = [.. Enumerable.Range(0, 128_000).Select(i => (byte)(i % 100))];

    private static readonly MaskedWindows s_data = new(new ByteRun(s_text), sequence: 128, share: 0.15, "text");

    [Fact]
    public void Every_sample_has_its_share_of_targets_and_they_are_the_bytes_that_stood_there()
    {
        var (inputs, targets) = Read([.. Enumerable.Range(0, 1000).Select(i => (long)i)], seed: 5);
        for (var sample = 0; sample < 1000; sample++)
        {
            var places = Enumerable.Range(sample * 128, 128).ToArray();
            Assert.Equal(19, places.Count(i => targets[i] != Batch.NoTarget)); // round(0.15 * 128) = 19.2
            Assert.All(places, i => Assert.Equal(s_text[i], targets[i] != Batch.NoTarget ? targets[i] : inputs[i]));
        }
    }

    [Fact]
    public void Of_the_targets_80_percent_are_masked_10_random_and_10_kept()
    {
        var (inputs, targets) = Read([.. Enumerable.Range(0, 1000).Select(i => (long)i)], seed: 6);
        var chosen = Enumerable.Range(0, inputs.Length).Where(i => targets[i] != Batch.NoTarget).ToArray();
        Assert.Equal(19_000, chosen.Length);

        // Deviations: sqrt(19000 p (1-p)) is 55 for 0.8 and 41 for 0.1; five of them are allowed.
        Assert.InRange(chosen.Count(i => inputs[i] == s_data.Classes), 15_200 - 275, 15_200 + 275);
        var shown = chosen.Where(i => inputs[i] != s_data.Classes).ToArray();
        var kept = shown.Count(i => inputs[i] == targets[i]);
        Assert.InRange(kept, 1_907 - 205, 1_907 + 205); // A tenth, and 1/256 of the random tenth.
        Assert.True(shown.Count(i => inputs[i] >= 100) > 1000, "random bytes come from all 256 values");
    }

    [Fact]
    public void Places_are_chosen_uniformly()
    {
        var (_, targets) = Read([.. Enumerable.Range(0, 1000).Select(i => (long)i)], seed: 7);
        var hits = new int[128];
        for (var i = 0; i < targets.Length; i++) { hits[i % 128] += targets[i] != Batch.NoTarget ? 1 : 0; }

        // Each place: 1000 draws at 19/128, mean 148.4, deviation 11.2; five of them are allowed.
        Assert.All(hits, hit => Assert.InRange(hit, 92, 205));
    }

    [Fact]
    public void Masks_depend_on_seed_and_sample_and_on_nothing_else()
    {
        var (inputs, targets) = Read([7, 3], seed: 1);
        var (again, targetsAgain) = Read([3, 9, 7], seed: 1);
        Assert.Equal(inputs[..128], again[256..]);
        Assert.Equal(targets[..128], targetsAgain[256..]);
        Assert.Equal(inputs[128..], again[..128]);
        Assert.NotEqual(inputs, Read([7, 3], seed: 2).Inputs);
    }

    [Theory, InlineData(2, 0.15, 1), InlineData(3, 0.99, 3), InlineData(10, 0.25, 3), InlineData(1, 0.001, 1)]
    public void There_is_always_a_target(int sequence, double share, int expected)
    {
        var data = new MaskedWindows(new ByteRun(s_text[..300]), sequence, share, "text");
        Assert.Equal(256, data.Classes);
        for (var sample = 0L; sample < data.Count; sample++)
        {
            using var batch = data.Gather([sample], seed: 3, torch.CPU);
            Assert.Equal(expected, batch.Targets.data<long>().Count(target => target != Batch.NoTarget));
        }
    }

    private static (long[] Inputs, long[] Targets) Read(long[] samples, ulong seed)
    {
        using var batch = s_data.Gather(samples, seed, torch.CPU);
        return (batch.Inputs.data<long>().ToArray(), batch.Targets.data<long>().ToArray());
    }
}
