namespace Cluster.Contracts.Spec;

/// <summary>A network, by <c>kind</c>; each kind has its own keys.</summary>
public abstract record ModelSpec
{
    private ModelSpec() { }

    /// <summary>Fully connected layers with ReLU between them; the last one gives the classes.</summary>
    public sealed record Mlp : ModelSpec
    {
        /// <summary>Widths of the hidden layers.</summary>
        [AtLeast(1), AtMost(1_048_576)]
        public ValueList<int> Hidden { get; init; } = [128];

        [AtLeast(0), Below(1)]
        public double Dropout { get; init; }
    }

    /// <summary>LeNet-5 (LeCun et al. 1998) with ReLU and max pooling, for small grey or colour images.</summary>
    [Spelled("lenet")]
    public sealed record LeNet : ModelSpec;

    /// <summary>ResNet of CIFAR size (He et al. 2016, section 4.2): 6n+2 layers in three groups of n blocks.</summary>
    [Spelled("resnet")]
    public sealed record ResNet : ModelSpec
    {
        /// <summary>n: blocks in each of the three groups; 3 gives ResNet-20.</summary>
        [AtLeast(1), AtMost(200)]
        public int BlocksPerGroup { get; init; } = 3;

        /// <summary>Channels of the first group; the others have twice and four times as many.</summary>
        [AtLeast(1), AtMost(4096)]
        public int Width { get; init; } = 16;

        public Normalization Norm { get; init; } = Normalization.Batch;
    }

    /// <summary>A bidirectional encoder with masked-token prediction (Devlin et al. 2019).</summary>
    public sealed record Bert : ModelSpec
    {
        [AtLeast(1), AtMost(200)]
        public int Layers { get; init; } = 4;

        [AtLeast(1), AtMost(65536)]
        public int Width { get; init; } = 128;

        [AtLeast(1), AtMost(512)]
        public int Heads { get; init; } = 4;

        /// <summary>The longest sequence: the size of the position table.</summary>
        [AtLeast(2), AtMost(1048576)]
        public int Context { get; init; } = 128;

        [AtLeast(0), Below(1)]
        public double Dropout { get; init; }
    }

    /// <summary>A causal decoder with next-token prediction (Radford et al. 2019: pre-norm, GELU, learned positions).</summary>
    public sealed record Gpt : ModelSpec
    {
        [AtLeast(1), AtMost(200)]
        public int Layers { get; init; } = 4;

        [AtLeast(1), AtMost(65536)]
        public int Width { get; init; } = 128;

        [AtLeast(1), AtMost(512)]
        public int Heads { get; init; } = 4;

        [AtLeast(2), AtMost(1048576)]
        public int Context { get; init; } = 128;

        [AtLeast(0), Below(1)]
        public double Dropout { get; init; }
    }

    /// <summary>
    /// A masked autoencoder on square images (He et al. 2022, arXiv:2111.06377): an encoder that sees a few patches of an image, and a small
    /// decoder that predicts the pixels of the others. Its loss is the mean squared error of a hidden pixel. With lamb and continual.
    /// </summary>
    public sealed record Mae : ModelSpec
    {
        /// <summary>Side of a patch in pixels; it divides the side of the image.</summary>
        [AtLeast(1), AtMost(1024)]
        public int Patch { get; init; } = 4;

        /// <summary>Share of the patches that is hidden. Of P patches ⌊P·(1 - masked)⌋ are seen: at least one, and not all.</summary>
        [Above(0), Below(1)]
        public double Masked { get; init; } = 0.75;

        /// <summary>Blocks of the encoder.</summary>
        [AtLeast(1), AtMost(200)]
        public int Layers { get; init; } = 4;

        /// <summary>A multiple of 4: row and column of a patch are each written as sines and cosines.</summary>
        [AtLeast(4), AtMost(65536)]
        public int Width { get; init; } = 128;

        [AtLeast(1), AtMost(512)]
        public int Heads { get; init; } = 4;

        public DecoderSpec Decoder { get; init; } = new();

        public PatchTargets Targets { get; init; } = PatchTargets.Normalised;

        /// <summary>How many of so many patches the encoder sees; decimal, because 1 - 0.9 is no tenth as a double.</summary>
        public int Seen(int patches) => (int)(patches * (1 - (decimal)Masked));
    }

    /// <summary>Graph convolutions (Kipf and Welling 2017). With forwardForward alone.</summary>
    public sealed record Gcn : ModelSpec
    {
        [AtLeast(1), AtMost(100)]
        public int Layers { get; init; } = 2;

        /// <summary>Units of a layer.</summary>
        [AtLeast(1), AtMost(65536)]
        public int Width { get; init; } = 128;
    }

    /// <summary>GraphSAGE with the mean of the neighbours (Hamilton et al. 2017). With forwardForward alone.</summary>
    public sealed record Sage : ModelSpec
    {
        [AtLeast(1), AtMost(100)]
        public int Layers { get; init; } = 2;

        /// <summary>Units of a layer.</summary>
        [AtLeast(1), AtMost(65536)]
        public int Width { get; init; } = 128;
    }

    /// <summary>Graph attention (Veličković et al. 2018), the heads side by side. With forwardForward alone.</summary>
    public sealed record Gat : ModelSpec
    {
        [AtLeast(1), AtMost(100)]
        public int Layers { get; init; } = 2;

        /// <summary>Units of a layer, all heads together.</summary>
        [AtLeast(1), AtMost(65536)]
        public int Width { get; init; } = 128;

        [AtLeast(1), AtMost(512)]
        public int Heads { get; init; } = 4;
    }

    /// <summary>Layers of a black box and a linear map behind it. With forwardForward alone.</summary>
    public sealed record Physical : ModelSpec
    {
        [AtLeast(1), AtMost(100)]
        public int Layers { get; init; } = 2;

        /// <summary>Outputs of each linear map, and inputs of the box above it.</summary>
        [AtLeast(1), AtMost(65536)]
        public int Width { get; init; } = 20;

        /// <summary>The linear map sees the box's input beside its output.</summary>
        public bool Skip { get; init; } = true;

        public required BoxSpec Box { get; init; }
    }

    /// <summary>
    /// A module that PyTorch saved with <c>torch.jit.save</c>: images [n, channels, height, width] or features [n, features] in, logits
    /// [n, classes] out. It begins with the weights in its file. Not with forwardForward, and on the CPU in float32 alone.
    /// </summary>
    [Spelled("torchscript")]
    public sealed record TorchScript : ModelSpec
    {
        /// <summary>The module's file, looked for like data: a path within a data folder, or <c>upload:NAME</c>.</summary>
        public required string File { get; init; }

        /// <summary>SHA-256 of the file. <c>run</c> and <c>submit</c> record it; where it stands, another file is refused.</summary>
        public string? Sha256 { get; init; }
    }
}

/// <summary>The decoder of a masked autoencoder.</summary>
public sealed record DecoderSpec
{
    [AtLeast(1), AtMost(200)]
    public int Layers { get; init; } = 1;

    /// <summary>A multiple of 4.</summary>
    [AtLeast(4), AtMost(65536)]
    public int Width { get; init; } = 64;

    [AtLeast(1), AtMost(512)]
    public int Heads { get; init; } = 4;
}

/// <summary>What a masked autoencoder predicts of a hidden patch.</summary>
public enum PatchTargets
{
    /// <summary>Its pixels less their mean, over their standard deviation (the paper, section 3, "Reconstruction target").</summary>
    Normalised,

    /// <summary>Its pixels, 0 to 1.</summary>
    Pixels,
}

public enum Normalization
{
    /// <summary>Batch normalisation over each leaf; the running statistics are averaged over the round's leaves.</summary>
    Batch,

    /// <summary>Group normalisation (Wu and He 2018), at most 8 groups.</summary>
    Group,
}
