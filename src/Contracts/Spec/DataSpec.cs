namespace Cluster.Contracts.Spec;

/// <summary>
/// A data set, by <c>kind</c>. A relative path is looked for in the folder of the spec file, then under each data root:
/// <c>--data</c>, <c>CLUSTER_DATA</c>, the samples that ship, and where <c>cluster data get</c> puts things.
/// </summary>
public abstract record DataSpec
{
    private DataSpec() { }

    /// <summary>UCI optical digits, 8x8, ten classes: optdigits.tra (3,823) to train, optdigits.tes (1,797) to evaluate.</summary>
    public sealed record Digits : DataSpec { public string Path { get; init; } = "digits"; }

    /// <summary>MNIST in IDX files, plain or gzip, 28x28, ten classes: 60,000 to train, 10,000 to evaluate.</summary>
    public sealed record Mnist : DataSpec { public string Path { get; init; } = "mnist"; }

    /// <summary>Fashion-MNIST, in the same files.</summary>
    [Spelled("fashion-mnist")]
    public sealed record FashionMnist : DataSpec { public string Path { get; init; } = "fashion-mnist"; }

    /// <summary>CIFAR-10 binary files (data_batch_*.bin and test_batch.bin, or train.bin and test.bin; plain or gzip), 3x32x32, ten classes.</summary>
    public sealed record Cifar10 : DataSpec { public string Path { get; init; } = "cifar10"; }

    /// <summary>Plain text as bytes: 256 tokens. The files are joined in the order given.</summary>
    public sealed record Text : DataSpec
    {
        [NotEmpty]
        public required ValueList<string> Files { get; init; }

        /// <summary>The last part of the bytes is kept for evaluation.</summary>
        [Above(0), Below(1)]
        public double EvaluationShare { get; init; } = 0.1;

        /// <summary>Share of tokens to predict, for masked models (Devlin et al. 2019: 0.15; of these 80 % masked, 10 % random, 10 % kept).</summary>
        [Above(0), Below(1)]
        public double MaskedShare { get; init; } = 0.15;
    }
}
