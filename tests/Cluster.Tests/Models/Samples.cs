using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Models;

/// <summary>A small model of each kind, and random batches that fit it.</summary>
internal sealed record Sample(ModelSpec Spec, long[] Shape, int Classes)
{
    public static readonly IReadOnlyDictionary<string, Sample> All = new Dictionary<string, Sample>
    {
        ["mlp"] = new(new ModelSpec.Mlp { Hidden = [24, 16] }, [1, 8, 8], 10),
        ["lenet"] = new(new ModelSpec.LeNet(), [1, 28, 28], 10),
        ["resnet batch"] = new(new ModelSpec.ResNet { BlocksPerGroup = 1, Width = 8 }, [3, 16, 16], 10),
        ["resnet group"] = new(new ModelSpec.ResNet { BlocksPerGroup = 1, Width = 8, Norm = Normalization.Group }, [3, 16, 16], 10),
        ["bert"] = new(new ModelSpec.Bert { Layers = 2, Width = 32, Heads = 4, Context = 24 }, [16], 61),
        ["mae"] = new(new ModelSpec.Mae { Patch = 3, Masked = 0.5, Layers = 2, Width = 32, Heads = 4, Decoder = new DecoderSpec { Layers = 1, Width = 24, Heads = 2 } }, [16, 1 + 9], 10),
        ["gpt"] = new(new ModelSpec.Gpt { Layers = 2, Width = 32, Heads = 4, Context = 24 }, [16], 61),
    };

    /// <summary>About, of random weights: of a guess among the classes, or of normalised pixels.</summary>
    public double UntrainedLoss => Spec is ModelSpec.Mae ? 1.5 : Math.Log(Classes);

    private bool IsText => Spec is ModelSpec.Bert or ModelSpec.Gpt;

    public Network Network(long seed = 1) => ModelCatalog.Create(Spec, Shape, Classes, seed, CPU);

    public FlatModel Model(long seed = 1, Precision precision = Precision.Float32) => new(Network(seed), precision, CPU);

    /// <summary>Random inputs and targets; for BERT about every third target counts, the others are not to be predicted.</summary>
    public Batch Batch(ulong seed, int count = 6)
    {
        var random = new SeededRandom(seed);
        if (Spec is ModelSpec.Mae mae)
        {
            const int side = 12;
            byte[] pixels = [.. Enumerable.Range(0, count * side * side).Select(_ => (byte)random.NextInt(256))];
            var images = new ImageSet(pixels, new byte[count], Classes, side, side, [PixelScale.ToUnit(255)]);
            return new MaskedPatches(images, mae).Gather([.. Enumerable.Range(0, count).Select(i => (long)i)], seed, CPU);
        }

        long[] inputShape = [count, .. Shape];
        var targetCount = IsText ? count * Shape[0] : count;
        var targets = Enumerable.Range(0, (int)targetCount)
            .Select(_ => Spec is ModelSpec.Bert && random.NextInt(3) > 0 ? Trainer.Core.Data.Batch.NoTarget : random.NextInt(Classes)).ToArray();
        var inputCount = (int)inputShape.Aggregate((a, b) => a * b);
        return IsText
            ? new(tensor(Enumerable.Range(0, inputCount).Select(_ => (long)random.NextInt(Classes)).ToArray(), inputShape), tensor(targets, [count, Shape[0]]), count)
            : new(tensor(Enumerable.Range(0, inputCount).Select(_ => (float)(2 * random.NextDouble() - 1)).ToArray(), inputShape), tensor(targets), count);
    }

    /// <summary>Samples <paramref name="first"/> to first + <paramref name="count"/> - 1 of a batch.</summary>
    public static Batch Part(Batch batch, int first, int count) =>
        new(batch.Inputs.narrow(0, first, count), batch.Targets.narrow(0, first, count), count);
}
