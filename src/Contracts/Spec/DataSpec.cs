namespace Cluster.Contracts.Spec;

/// <summary>
/// A data set, by <c>kind</c>. A relative path is looked for in the folder of the spec file, then under each data root:
/// <c>--data</c>, <c>CLUSTER_DATA</c>, the samples that ship, and where <c>cluster data get</c> puts things.
/// </summary>
public abstract record DataSpec
{
    private DataSpec() { }

    /// <summary>Samples are windows of tokens.</summary>
    public bool IsText => this is Text or Tokens;

    /// <summary>Channels and side of its images, which are square; null where samples are none.</summary>
    public (int Channels, int Side)? Image => this switch
    {
        Digits => (1, 8),
        Mnist or FashionMnist => (1, 28),
        Cifar10 cifar => (cifar.Grey ? 1 : 3, cifar.Side),
        _ => null,
    };

    /// <summary>UCI optical digits, 8x8, ten classes: optdigits.tra (3,823) to train, optdigits.tes (1,797) to evaluate.</summary>
    public sealed record Digits : DataSpec { public string Path { get; init; } = "digits"; }

    /// <summary>MNIST in IDX files, plain or gzip, 28x28, ten classes: 60,000 to train, 10,000 to evaluate.</summary>
    public sealed record Mnist : DataSpec { public string Path { get; init; } = "mnist"; }

    /// <summary>Fashion-MNIST, in the same files.</summary>
    [Spelled("fashion-mnist")]
    public sealed record FashionMnist : DataSpec { public string Path { get; init; } = "fashion-mnist"; }

    /// <summary>CIFAR-10 binary files (data_batch_*.bin and test_batch.bin, or train.bin and test.bin; plain or gzip), 3x32x32, ten classes.</summary>
    public sealed record Cifar10 : DataSpec
    {
        public string Path { get; init; } = "cifar10";

        /// <summary>One channel of brightness instead of three colours: 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601), rounded.</summary>
        public bool Grey { get; init; }

        /// <summary>Pixels a side; below 32 it is the middle of each image.</summary>
        [AtLeast(4), AtMost(32)]
        public int Side { get; init; } = 32;
    }

    /// <summary>Plain text as bytes: 256 tokens. The files are joined in the order given.</summary>
    public sealed record Text : DataSpec
    {
        /// <summary>Paths, or <c>upload:NAME</c> for a file that was uploaded to the cluster.</summary>
        [NotEmpty]
        public required ValueList<string> Files { get; init; }

        /// <summary>The last part of the bytes is kept for evaluation.</summary>
        [Above(0), Below(1)]
        public double EvaluationShare { get; init; } = 0.1;

        /// <summary>Share of tokens to predict, for masked models (Devlin et al. 2019: 0.15; of these 80 % masked, 10 % random, 10 % kept).</summary>
        [Above(0), Below(1)]
        public double MaskedShare { get; init; } = 0.15;
    }

    /// <summary>
    /// Tokens in shards, as <c>cluster data tokenize</c> writes them; they are mapped and not read into memory. The model's vocabulary is
    /// that of the folder's manifest.
    /// </summary>
    public sealed record Tokens : DataSpec
    {
        /// <summary>The folder with manifest.json.</summary>
        public required string Path { get; init; }

        /// <summary>The last part of the tokens is kept for evaluation.</summary>
        [Above(0), Below(1)]
        public double EvaluationShare { get; init; } = 0.1;

        /// <summary>Share of tokens to predict, for masked models, as with text.</summary>
        [Above(0), Below(1)]
        public double MaskedShare { get; init; } = 0.15;
    }

    /// <summary>
    /// Formants of seven vowels, 12 numbers a row, each standardised: <c>vowels.csv</c>, 258 rows. One fifth of them is kept for
    /// evaluation.
    /// </summary>
    public sealed record Vowels : DataSpec
    {
        public string Path { get; init; } = "vowels";

        /// <summary>Which fifth: the rows are dealt out to five folds in a fixed random order.</summary>
        [AtLeast(0), AtMost(4)]
        public int Fold { get; init; }
    }

    /// <summary>
    /// A graph with features and labels of its nodes: a folder with <c>edges.csv</c>, <c>features.csv</c>, <c>labels.csv</c> (plain or
    /// gzip), <c>splits.json</c> and <c>meta.json</c>.
    /// </summary>
    public sealed record Graph : DataSpec
    {
        public string Path { get; init; } = "graphs/cora";

        /// <summary>A split that splits.json names, for the classes of nodes. For links the edges are split by the job's seed: 64 % train, 16 % validate, 20 % evaluate.</summary>
        public string? Split { get; init; }

        public FeatureValues Features { get; init; } = FeatureValues.Binary;
    }
}

/// <summary>What is made of a graph's features. In both cases each node's are then divided by their sum, where that is above 1.</summary>
public enum FeatureValues
{
    /// <summary>Every value above zero becomes 1, as the loader of ForwardGNN's published code does.</summary>
    Binary,

    /// <summary>The values of the file: the bag of words of its paper.</summary>
    AsGiven,
}
