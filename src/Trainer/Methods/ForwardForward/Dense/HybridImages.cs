using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Dense;

/// <summary>
/// Negative images without labels (Hinton 2022, section 3.2): two images in patches, so that what is near is right and what is far is
/// not.
/// <code>
///   mask: random bits, blurred again and again with [1/4, 1/2, 1/4] along rows and columns, 1 where above one half
///   hybrid = mask·first + (1 - mask)·second
/// </code>
/// </summary>
internal static class HybridImages
{
    /// <param name="noise">[n, height, width], uniform in 0 to 1.</param>
    /// <returns>The mask, [n, height, width], of zeros and ones.</returns>
    public static Tensor Mask(Tensor noise, int blurSteps)
    {
        var mask = noise.Above(0.5);
        for (var step = 0; step < blurSteps; step++) { mask = Blur(Blur(mask, 2), 1); }
        return mask.Above(0.5);
    }

    public static Tensor Join(Tensor mask, Tensor first, Tensor second) => (mask * first).Plus(mask.neg().Plus(1) * second);

    /// <summary>Uniform noise for each sample of a leaf: a function of seed, round and the sample's position in the stream.</summary>
    public static Tensor Noise(long seed, long round, Leaf leaf, long height, long width)
    {
        var noise = TensorMemory.Allocate(ScalarType.Float32, leaf.Count, height, width);
        var elements = TensorMemory.Elements<float>(noise);
        var area = (int)(height * width);
        for (var i = 0; i < leaf.Count; i++)
        {
            var random = new SeededRandom(Seeds.Derive(seed, SeedPurpose.HybridMask, round, leaf.First + i));
            foreach (ref var value in elements.Slice(i * area, area)) { value = (float)random.NextDouble(); }
        }

        return noise;
    }

    /// <summary>A second image for each sample of a leaf, any of the training images.</summary>
    public static long[] Partners(long seed, long round, Leaf leaf, long count)
    {
        var partners = new long[leaf.Count];
        for (var i = 0; i < partners.Length; i++)
        {
            partners[i] = (long)(new SeededRandom(Seeds.Derive(seed, SeedPurpose.HybridPartner, round, leaf.First + i)).NextDouble() * count);
        }

        return partners;
    }

    /// <summary>Along one dimension; beyond the edge its value goes on.</summary>
    private static Tensor Blur(Tensor x, int dimension)
    {
        var length = x.shape[dimension];
        var before = cat([x.narrow(dimension, 0, 1), x.narrow(dimension, 0, length - 1)], dimension);
        var after = cat([x.narrow(dimension, 1, length - 1), x.narrow(dimension, length - 1, 1)], dimension);
        return x.Over(2).Plus(before.Plus(after).Over(4));
    }
}
