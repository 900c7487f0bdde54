using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// LeNet-5: "Gradient-based learning applied to document recognition", LeCun et al. 1998, section II.B, with the changes that
/// are usual today: ReLU for the scaled tanh, max pooling for the trained sub-sampling, every map of C3 connected to every map
/// of S2, and a linear last layer for the RBF units.
/// </summary>
/// <remarks>
/// The paper's input is 32x32. Images smaller than that are padded by two pixels a side in the first layer, as the paper pads
/// the 28x28 digits of MNIST. For ten classes: 61,706 parameters for 1x28x28, 62,006 for 3x32x32. Weights and biases start as
/// PyTorch's layers do, uniform in ±1/√fan-in.
/// </remarks>
internal sealed class LeNet : Network
{
    /// <summary>The smallest image that leaves a pixel after both convolutions and both poolings.</summary>
    private const long SmallestSide = 12;

    private readonly Conv2d conv1;
    private readonly Conv2d conv2;
    private readonly Linear fc1;
    private readonly Linear fc2;
    private readonly Linear fc3;

    /// <param name="image">[channels, height, width].</param>
    public LeNet(IReadOnlyList<long> image, int classes) : base(nameof(LeNet))
    {
        SampleShape.RequireImage("lenet", image, SmallestSide);
        var padding = Math.Min(image[1], image[2]) < 32 ? 2 : 0;
        conv1 = Conv2d(image[0], 6, kernel_size: 5, padding: padding);
        conv2 = Conv2d(6, 16, kernel_size: 5);
        fc1 = Linear(16 * Side(image[1]) * Side(image[2]), 120);
        fc2 = Linear(120, 84);
        fc3 = Linear(84, classes);
        RegisterComponents();

        long Side(long side) => ((side + 2 * padding - 4) / 2 - 4) / 2;
    }

    public override Tensor forward(Tensor input)
    {
        var x = functional.max_pool2d(conv1.forward(input).relu_(), 2); // [n, 6, 14, 14]
        x = functional.max_pool2d(conv2.forward(x).relu_(), 2);         // [n, 16, 5, 5]
        x = fc1.forward(x.flatten(start_dim: 1)).relu_();               // [n, 120]
        x = fc2.forward(x).relu_();                                     // [n, 84]
        return fc3.forward(x);
    }
}
