using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Models;

[Collection(TorchTests.Name)]
public sealed class OneDnnTests
{
    /// <summary>Channels that are no multiple of a register's width, where oneDNN goes wrong on some virtual machines.</summary>
    [Theory]
    [InlineData(1, 6, 5), InlineData(3, 8, 3), InlineData(6, 16, 5), InlineData(8, 4, 1), InlineData(16, 10, 3), InlineData(17, 33, 3), InlineData(32, 32, 3)]
    public void Convolutions_and_their_gradients_are_those_of_float64(int input, int output, int kernel)
    {
        _ = OneDnn.IsOn;
        using var scope = NewDisposeScope();
        using var generator = manual_seed(1);
        using var x = randn(5, input, 9, 9);
        using var weights = randn(output, input, kernel, kernel);

        foreach (var (single, exact) in Results(x, weights, ScalarType.Float32).Zip(Results(x, weights, ScalarType.Float64)))
        {
            Assert.InRange(((single.to(ScalarType.Float64) - exact).norm() / exact.norm()).item<double>(), 0, 1e-5);
        }
    }

    /// <summary>The output, and the gradients of half its square by input and weights.</summary>
    private static Tensor[] Results(Tensor x, Tensor weights, ScalarType type)
    {
        var a = x.to(type, copy: true).requires_grad_();
        var w = weights.to(type, copy: true).requires_grad_();
        using var y = nn.functional.conv2d(a, w, padding: [1, 1]);
        return [y.detach().clone(), .. autograd.grad([y.square().sum() / 2], [a, w])];
    }
}
