using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Models;

[Collection(TorchTests.Name)]
public sealed class BatchNormTests
{
    [Fact]
    public void Training_normalises_as_torchs_layer_does_and_hands_out_the_leafs_statistics()
    {
        using var scope = NewDisposeScope();
        using var ours = new BatchNorm(3);
        using var theirs = nn.BatchNorm2d(3, momentum: 1);
        var input = (randn(4, 3, 5, 5) * 2 + 1).requires_grad_();
        var same = input.detach().requires_grad_();
        var (mean, variance) = (full(3, float.MaxValue), full(3, float.MaxValue));
        ours.LeafStatistics = (mean, variance);

        var output = ours.forward(input);
        var expected = theirs.forward(same);
        output.square().sum().backward();
        expected.square().sum().backward();

        Assert.True(output.allclose(expected));
        Assert.True(input.grad!.allclose(same.grad!));
        Assert.True(mean.allclose(input.mean([0, 2, 3])));
        Assert.True(variance.allclose(theirs.running_var!));
        Assert.Equal([1f, 1f, 1f], ours.get_buffer("running_var")!.data<float>().ToArray());
    }

    [Fact]
    public void A_contribution_carries_the_leafs_statistics_and_evaluation_uses_those_in_theta()
    {
        var sample = Sample.All["resnet batch"];
        using var model = sample.Model();
        using var batch = sample.Batch(seed: 1);
        using var contribution = new FlatBuffer(model.Layout.Length);
        var layout = model.Layout;

        Assert.Equal(14, layout.Statistics.Length); // Seven normalisations, mean and variance each.
        Assert.All(layout.Statistics, s => Assert.Equal(s.Name.EndsWith("var", StringComparison.Ordinal) ? 1f : 0f, model.Theta.Slice(s.Offset, s.Length)[0]));

        model.TrainLeaf(batch, 1, contribution);
        foreach (var s in layout.Statistics.Where(s => s.Name.EndsWith("var", StringComparison.Ordinal)))
        {
            Assert.False(contribution.Slice(s.Offset, s.Length).ContainsAnyExceptInRange(float.Epsilon, 1e3f), s.Name);
        }

        // With this very leaf's statistics as the running ones, evaluation normalises as training did, up to n against n - 1.
        var trained = model.TrainLeaf(batch, 1, contribution);
        var before = model.EvaluateLeaf(batch);
        contribution.Slice(layout.ParameterLength, layout.Length - layout.ParameterLength).CopyTo(model.Theta.Slice(layout.ParameterLength, layout.Length - layout.ParameterLength));
        var after = model.EvaluateLeaf(batch);

        Assert.Equal(trained.Loss, after.Loss, 0.02 * trained.Loss);
        Assert.True(Math.Abs(after.Loss - trained.Loss) < Math.Abs(before.Loss - trained.Loss));
    }

    [Fact]
    public void Group_normalisation_has_no_statistics()
    {
        using var model = Sample.All["resnet group"].Model();
        Assert.Empty(model.Layout.Statistics);
    }
}
