using Cluster.Contracts.Spec;
using TorchSharp;
using TorchSharp.Modules;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// The residual network for small images: "Deep Residual Learning for Image Recognition", He et al. 2016, section 4.2. A 3x3
/// convolution, three groups of n blocks with width, 2·width and 4·width channels (the second and third begin with stride 2),
/// global average pooling and a linear layer: 6n+2 layers.
/// </summary>
/// <remarks>
/// Shortcuts are the paper's option A, as in that section: the identity, sub-sampled and padded with zero channels where the
/// shape changes, without parameters. With n = 3, width 16, three input channels and ten classes: 269,722 parameters (the
/// paper's 0.27 M). Convolutions start as N(0, 2/(k²·c)) with k the kernel and c the input channels (He et al. 2015, eq. 10).
/// </remarks>
internal sealed class ResNet : Network
{
    /// <summary>Two halvings of 8 leave 2x2 pixels: enough for one sample to have a variance.</summary>
    private const long SmallestSide = 8;

    private readonly Conv2d conv;
    private readonly Module<Tensor, Tensor> norm;
    private readonly ModuleList<ResidualBlock> blocks;
    private readonly Linear fc;

    /// <param name="image">[channels, height, width].</param>
    public ResNet(ModelSpec.ResNet spec, IReadOnlyList<long> image, int classes) : base(nameof(ResNet))
    {
        SampleShape.RequireImage("resnet", image, SmallestSide);
        conv = Convolution3x3(image[0], spec.Width);
        norm = Normalize(spec.Norm, spec.Width);
        blocks = ModuleList(Blocks(spec).ToArray());
        fc = Linear(4L * spec.Width, classes);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        var x = norm.forward(conv.forward(input)).relu_(); // [n, width, height, width]
        foreach (var block in blocks) { x = Forward(block, x); }
        return fc.forward(x.mean([2, 3]));                 // [n, 4·width] to [n, classes]
    }

    private static IEnumerable<ResidualBlock> Blocks(ModelSpec.ResNet spec)
    {
        long channels = spec.Width;
        for (var group = 0; group < 3; group++)
        {
            for (var block = 0; block < spec.BlocksPerGroup; block++)
            {
                var widens = group > 0 && block == 0;
                yield return new ResidualBlock(channels, widens ? 2 * channels : channels, spec.Norm);
                if (widens) { channels *= 2; }
            }
        }
    }

    internal static Conv2d Convolution3x3(long inputs, long outputs, long stride = 1)
    {
        var convolution = Conv2d(inputs, outputs, kernel_size: 3, stride: stride, padding: 1, bias: false); // A bias would vanish in the normalisation.
        init.kaiming_normal_(convolution.weight, nonlinearity: init.NonlinearityType.ReLU);
        return convolution;
    }

    internal static Module<Tensor, Tensor> Normalize(Normalization kind, long channels) => kind switch
    {
        Normalization.Group => GroupNormalize(channels),
        _ => new BatchNorm(channels),
    };

    private static GroupNorm GroupNormalize(long channels)
    {
        var groups = Enumerable.Range(1, 8).Last(groups => channels % groups == 0);
        var norm = GroupNorm(groups, channels);
        init.ones_(norm.weight); // TorchSharp 0.107 leaves both as the memory was.
        init.zeros_(norm.bias);
        return norm;
    }
}

/// <summary>Two 3x3 convolutions and a shortcut around them (figure 2). Where it widens, it halves the image.</summary>
internal sealed class ResidualBlock : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1;
    private readonly Module<Tensor, Tensor> norm1;
    private readonly Conv2d conv2;
    private readonly Module<Tensor, Tensor> norm2;
    private readonly long _added;

    public ResidualBlock(long inputs, long outputs, Normalization kind) : base(nameof(ResidualBlock))
    {
        _added = outputs - inputs;
        conv1 = ResNet.Convolution3x3(inputs, outputs, stride: _added > 0 ? 2 : 1);
        norm1 = ResNet.Normalize(kind, outputs);
        conv2 = ResNet.Convolution3x3(outputs, outputs);
        norm2 = ResNet.Normalize(kind, outputs);
        RegisterComponents();
    }

    /// <summary>[n, inputs, h, w] to [n, outputs, h, w], or half of h and w where it widens.</summary>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var residual = norm1.forward(conv1.forward(input)).relu_();
        residual = norm2.forward(conv2.forward(residual));
        return residual.add_(Shortcut(input), One).relu_().MoveToOuterDisposeScope(); // In place: no backward pass needs the sum.
    }

    private Tensor Shortcut(Tensor input)
    {
        if (_added == 0) { return input; }
        var half = input.slice(2, 0, input.shape[2], 2).slice(3, 0, input.shape[3], 2);
        return functional.pad(half, [0, 0, 0, 0, 0, _added]); // Zero channels behind the last one.
    }
}
