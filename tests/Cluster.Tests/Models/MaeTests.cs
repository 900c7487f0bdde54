using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Models;

/// <summary>Masked patches and the autoencoder that learns from them; what it shares with other models is tested with these.</summary>
[Collection(TorchTests.Name)]
public sealed class MaeTests
{
    private static readonly ModelSpec.Mae s_spec = new() { Patch = 3, Masked = 0.5, Layers = 2, Width = 32, Heads = 4, Decoder = new DecoderSpec { Width = 24, Heads = 2 } };

    private static ImageSet Images(int count, int channels = 1, int side = 12)
    {
        var random = new SeededRandom(7);
        byte[] pixels = [.. Enumerable.Range(0, count * channels * side * side).Select(_ => (byte)random.NextInt(256))];
        return new ImageSet(pixels, new byte[count], 10, side, side, [.. Enumerable.Repeat(PixelScale.ToUnit(255), channels)]);
    }

    private static (float[,,] Inputs, float[,,] Targets) Read(MaskedPatches set, ulong seed, params long[] samples)
    {
        using var batch = set.Gather(samples, seed, CPU);
        return (Cube(batch.Inputs), Cube(batch.Targets));

        static float[,,] Cube(Tensor tensor)
        {
            var cube = new float[tensor.shape[0], tensor.shape[1], tensor.shape[2]];
            Buffer.BlockCopy(tensor.data<float>().ToArray(), 0, cube, 0, sizeof(float) * cube.Length);
            return cube;
        }
    }

    [Theory, InlineData(1), InlineData(3)]
    public void Seen_and_hidden_patches_together_are_the_image(int channels)
    {
        var images = Images(3, channels);
        var set = new MaskedPatches(images, s_spec with { Masked = 0.7, Targets = PatchTargets.Pixels });
        var (inputs, targets) = Read(set, 5, 2, 0);
        Assert.Equal([16, 1 + (9 * channels)], set.InputShape);
        Assert.Equal((2, 16, 2, 12, 9 * channels), (inputs.GetLength(0), inputs.GetLength(1), targets.GetLength(0), targets.GetLength(1), targets.GetLength(2)));

        using var expected = images.Gather([2, 0], 0, CPU);
        var image = new float[2, channels, 12, 12];
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(Enumerable.Range(0, 16), Enumerable.Range(0, 16).Select(j => (int)inputs[i, j, 0]).Order());
            for (var j = 0; j < 16; j++)
            {
                var (top, left) = ((int)inputs[i, j, 0] / 4 * 3, (int)inputs[i, j, 0] % 4 * 3);
                for (var v = 0; v < 9 * channels; v++)
                {
                    var (y, x, c) = (v / channels / 3, v / channels % 3, v % channels);
                    image[i, c, top + y, left + x] = j < 4 ? inputs[i, j, 1 + v] : targets[i, j - 4, v];
                    if (j >= 4) { Assert.Equal(0, inputs[i, j, 1 + v]); } // The network cannot see what it is to predict.
                }
            }
        }

        Assert.Equal(expected.Inputs.data<float>().ToArray(), image.Cast<float>());
    }

    [Fact]
    public void A_target_is_normalised_by_its_own_patch()
    {
        var images = Images(2);
        var plain = Read(new MaskedPatches(images, s_spec with { Targets = PatchTargets.Pixels }), 1, 1).Targets;
        var normalised = Read(new MaskedPatches(images, s_spec), 1, 1).Targets;
        for (var j = 0; j < 8; j++)
        {
            double[] pixels = [.. Enumerable.Range(0, 9).Select(v => (double)plain[0, j, v])];
            var mean = pixels.Average();
            var deviation = Math.Sqrt((pixels.Sum(p => (p - mean) * (p - mean)) / 8) + 1e-6);
            for (var v = 0; v < 9; v++) { Assert.Equal((pixels[v] - mean) / deviation, normalised[0, j, v], 1e-5); }
        }

        var black = new ImageSet(new byte[144], new byte[1], 10, 12, 12, [PixelScale.ToUnit(255)]);
        Assert.All(Read(new MaskedPatches(black, s_spec), 1, 0).Targets.Cast<float>(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Masks_come_from_seed_and_sample_however_a_batch_is_cut()
    {
        var set = new MaskedPatches(Images(5), s_spec);
        var whole = Read(set, 9, 0, 1, 2, 3, 4).Inputs;
        for (var i = 0; i < 5; i++) { Assert.Equal(Row(whole, i), Row(Read(set, 9, i, 4 - i).Inputs, 0)); }
        Assert.NotEqual(Row(whole, 0), Row(Read(set, 10, 0).Inputs, 0));
        Assert.NotEqual(Places(whole, 0), Places(whole, 1));

        static float[] Row(float[,,] cube, int i) => [.. from j in Enumerable.Range(0, cube.GetLength(1)) from v in Enumerable.Range(0, cube.GetLength(2)) select cube[i, j, v]];
        static float[] Places(float[,,] cube, int i) => [.. Enumerable.Range(0, 16).Select(j => cube[i, j, 0])];
    }

    /// <summary>4,000 masks of 4 in 16: each patch is seen 1,000 times with a deviation of 27.</summary>
    [Fact]
    public void Each_patch_is_seen_equally_often()
    {
        var set = new MaskedPatches(Images(4), s_spec with { Masked = 0.75 });
        var seen = new int[16];
        for (var seed = 0UL; seed < 1000; seed++)
        {
            var inputs = Read(set, seed, 0, 1, 2, 3).Inputs;
            for (var i = 0; i < 4; i++) { for (var j = 0; j < 4; j++) { seen[(int)inputs[i, j, 0]]++; } }
        }

        Assert.All(seen, count => Assert.InRange(count, 1000 - (5 * 27), 1000 + (5 * 27)));
    }

    [Theory, InlineData(49, 0.75, 12), InlineData(16, 0.75, 4), InlineData(50, 0.9, 5), InlineData(10, 0.7, 3)]
    public void So_many_patches_are_seen(int patches, double masked, int seen) => Assert.Equal(seen, new ModelSpec.Mae { Masked = masked }.Seen(patches));

    [Fact]
    public void The_loss_is_the_mean_squared_error_of_the_hidden_pixels()
    {
        using var model = Sample.All["mae"].Model();
        using var network = Sample.All["mae"].Network();
        using var batch = Sample.All["mae"].Batch(seed: 3);
        network.eval();
        using var output = network.Logits(batch.Inputs);
        Assert.Equal([6, 8, 9], output.shape);
        var (predicted, wanted) = (output.data<float>().ToArray(), batch.Targets.data<float>().ToArray());
        var expected = predicted.Zip(wanted, (p, t) => Math.Pow((double)p - t, 2)).Sum() / (8 * 9);

        var score = model.EvaluateLeaf(batch);
        Assert.Equal(expected, score.Loss, 1e-5 * expected);
        Assert.Equal((6, 6, double.NaN, 1), (score.Samples, score.Weight, score.Accuracy, score.Leaves));
    }

    /// <summary>A patch is known by its place alone: the order in which seen ones stand changes nothing, that of hidden ones only where their pixels come out.</summary>
    [Fact]
    public void The_order_of_patches_does_not_matter()
    {
        using var network = Sample.All["mae"].Network();
        using var batch = Sample.All["mae"].Batch(seed: 4, count: 2);
        network.eval();
        using var scope = NewDisposeScope();
        long[] order = [3, 0, 1, 2, 7, 6, 5, 4, 15, 8, 14, 9, 13, 10, 12, 11];
        var before = network.Logits(batch.Inputs);
        var after = network.Logits(batch.Inputs.index_select(1, tensor(order)));
        Assert.True(after.allclose(before.index_select(1, tensor(order[8..].Select(j => j - 8).ToArray())), atol: 1e-5));
        var moved = batch.Inputs.clone();
        moved[0, 0, 0] = batch.Inputs[0, 8, 0]; // Two patches change places.
        moved[0, 8, 0] = batch.Inputs[0, 0, 0];
        Assert.False(network.Logits(moved)[0].allclose(before[0], atol: 1e-3));
        Assert.True(network.Logits(moved)[1].allclose(before[1], atol: 1e-5));
    }

    [Fact]
    public void Positions_are_sines_and_cosines_of_column_and_row()
    {
        using var positions = new PatchPositions(across: 4, width: 8);
        using var places = tensor(new long[] { 0, 6, 15 }, [1, 3]);
        using var rows = positions.Of(places);
        var values = rows.data<float>().ToArray();
        Assert.Equal([1, 3, 8], rows.shape);
        Assert.Equal([0, 0, 1, 1, 0, 0, 1, 1], values[..8]);
        double[] expected = [Math.Sin(2), Math.Sin(0.02), Math.Cos(2), Math.Cos(0.02), Math.Sin(1), Math.Sin(0.01), Math.Cos(1), Math.Cos(0.01)]; // Place 6: column 2 of row 1.
        for (var i = 0; i < 8; i++) { Assert.Equal(expected[i], values[8 + i], 1e-6); }
    }

    /// <summary>Positions are not learnt, and there is one vector for all that is hidden.</summary>
    [Fact]
    public void It_has_so_many_weights_and_no_statistics()
    {
        using var model = Sample.All["mae"].Model();
        const int w = 32, d = 24, pixels = 9;
        Assert.Equal((pixels * w) + w + (2 * Block(w)) + (2 * w) + (w * d) + d + d + Block(d) + (2 * d) + (d * pixels) + pixels, model.Layout.ParameterCount);
        Assert.Empty(model.Layout.Statistics);
        static int Block(int width) => (12 * width * width) + (13 * width);
    }

    [Fact]
    public void Images_that_do_not_fit_are_refused()
    {
        Assert.Contains("whole patches of 5x5", Assert.Throws<BadInputException>(() => new MaskedPatches(Images(1), s_spec with { Patch = 5 })).Message, StringComparison.Ordinal);
        Assert.Contains("leaves 0 of 1 patches", Assert.Throws<BadInputException>(() => new MaskedPatches(Images(1), s_spec with { Patch = 12 })).Message, StringComparison.Ordinal);
        Assert.Contains("[28]", Assert.Throws<BadInputException>(() => ModelCatalog.Create(s_spec, [28], 10, 1, CPU)).Message, StringComparison.Ordinal);
    }
}
