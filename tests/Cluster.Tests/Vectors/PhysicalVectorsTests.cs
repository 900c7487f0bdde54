using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.BlackBoxes;
using Cluster.Trainer.Methods.ForwardForward;
using Cluster.Trainer.Methods.ForwardForward.Physical;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Vectors;

/// <summary>Physical local learning against an independent program, in both precisions.</summary>
[Collection(TorchTests.Name)]
public sealed class PhysicalVectorsTests
{
    public static TheoryData<string, ScalarType> Layers => ForwardForwardVectorsTests.Files("phyll");

    [Theory, MemberData(nameof(Layers))]
    public void A_box_the_map_behind_it_its_gradient_and_a_step(string file, ScalarType type)
    {
        foreach (var vector in VectorCase.Of(file))
        {
            using var scope = NewDisposeScope();
            var expected = vector.Expected;
            var (physical, n) = (vector.At("physical"), vector.Tensor("h_pos", type).shape[0]);
            var h = cat([vector.Tensor("h_pos", type), vector.Tensor("h_neg", type)]);
            var measured = Measure(h, physical).to(type);
            VectorAssert.Close(physical, "out_pos", measured.narrow(0, 0, n));
            VectorAssert.Close(physical, "out_neg", measured.narrow(0, n, n));

            var x = cat([measured, h], 1);
            var layer = new PhysicalLayer(vector.Tensor("W", type), vector.Tensor("b", type));
            var contrast = new Contrast(ContrastLoss.Symba, 0, vector.Number("theta"));
            var direction = vector.Tensor("p", type);
            var (z, g, losses, gradient) = Learn(layer, x, direction, contrast);
            VectorAssert.Close(expected, "z_pos", z.narrow(0, 0, n));
            VectorAssert.Close(expected, "z_neg", z.narrow(0, n, n));
            VectorAssert.Close(expected, "cos_pos", g[0]);
            VectorAssert.Close(expected, "cos_neg", g[1]);
            VectorAssert.Close(expected, "loss", losses.mean().to(ScalarType.Float64).item<double>(), type);
            VectorAssert.Close(expected, "grad_W", gradient.Weight / n);
            VectorAssert.Close(expected, "grad_b", gradient.Bias / n);

            var rate = expected.Number("sgd_lr") / n;
            var stepped = new PhysicalLayer(layer.Weight - gradient.Weight * rate, layer.Bias - gradient.Bias * rate);
            VectorAssert.Close(expected, "W_after_sgd", stepped.Weight);
            VectorAssert.Close(expected, "b_after_sgd", stepped.Bias);
            VectorAssert.Close(expected, "loss_after_sgd", Learn(stepped, x, direction, contrast).Losses.mean().to(ScalarType.Float64).item<double>(), type);
            VectorAssert.Close(expected, "next_h_pos_after_sgd", stepped.Forward(x).narrow(0, 0, n));
        }
    }

    /// <summary>The box computes in float64, whatever the learner does.</summary>
    private static Tensor Measure(Tensor h, VectorCase physical)
    {
        var m = physical.Tensor("M", ScalarType.Float64).data<double>().ToArray();
        var c = physical.Tensor("c", ScalarType.Float64).data<double>().ToArray();
        var rows = h.to(ScalarType.Float64).data<double>().ToArray().Chunk((int)h.shape[1]);
        return tensor(rows.SelectMany(row => SmoothBox.Respond(m, c, row)).ToArray(), h.shape);
    }

    private static (Tensor Z, Tensor G, Tensor Losses, PhysicalLayer Gradient) Learn(PhysicalLayer layer, Tensor x, Tensor direction, Contrast contrast)
    {
        var z = layer.Forward(x);
        var g = PhysicalLayer.Goodness(z, direction).view(2, -1);
        var (losses, byPositive, byNegative) = contrast.Of(g[0], g.narrow(0, 1, 1));
        var gradient = new PhysicalLayer(zeros_like(layer.Weight), zeros_like(layer.Bias));
        gradient.AddGradient(x, z, direction, cat([byPositive, byNegative[0]]));
        return (z, g, losses, gradient);
    }
}
