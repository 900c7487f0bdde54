using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Models;

/// <summary>On some virtual machines oneDNN goes wrong where channels are no multiple of a register's width.</summary>
[Collection(TorchTests.Name)]
public sealed class OneDnnTests
{
    [Theory]
    [InlineData(1, 6, 5), InlineData(3, 8, 3), InlineData(6, 16, 5), InlineData(8, 4, 1), InlineData(16, 10, 3), InlineData(17, 33, 3), InlineData(20, 32, 3), InlineData(32, 32, 3)]
    public void Convolutions_and_their_gradients_are_those_of_float64(int input, int output, int kernel)
    {
        using var scope = NewDisposeScope();
        using var generator = manual_seed(1);
        using var x = randn(48, input, 9, 9);
        using var weights = randn(output, input, kernel, kernel);
        OneDnn.Use(OneDnn.IsRightFor([weights, weights], Precision.Float32)); // As one that is not the first, too.
        var exact = Results(x, weights, ScalarType.Float64);
        for (var run = 0; run < 5; run++)
        {
            LeaveNaNsInFreedMemory();
            foreach (var (single, wanted) in Results(x, weights, ScalarType.Float32).Zip(exact))
            {
                Assert.InRange(((single.to(ScalarType.Float64) - wanted).norm() / wanted.norm()).item<double>(), 0, 1e-5);
            }
        }
    }

    [Fact]
    public void It_is_used_where_there_is_nothing_to_get_wrong()
    {
        using var matrix = zeros(20, 20);
        Assert.True(OneDnn.IsRightFor([matrix], Precision.BFloat16));
        Assert.True(OneDnn.IsRightFor([], Precision.Float32));
    }

    [Fact]
    public void The_switch_is_kept_until_it_is_turned()
    {
        OneDnn.Use(false);
        Assert.False(OneDnn.IsOn);
        OneDnn.Use(true);
        Assert.True(OneDnn.IsOn);
    }

    /// <summary>Whoever reads memory that it has not written shall not read zeros.</summary>
    private static void LeaveNaNsInFreedMemory()
    {
        var blocks = Enumerable.Range(8, 13).SelectMany(size => Enumerable.Range(0, 8).Select(_ => full([1L << size], float.NaN))).ToArray();
        foreach (var block in blocks) { block.Dispose(); }
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
