using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using static TorchSharp.torch;

namespace Cluster.Tests.Optimizers;

public class LayerTableTests
{
    private static readonly Layout Layout = new(Problem.Tensors);

    [Fact]
    public void Biases_are_neither_decayed_nor_adapted()
    {
        var layers = LayerTable.Build(Layout, new OptimizerSpec(), 0.01);
        Assert.Equal(new Layer("block.bias", Layout.Segments[2].Offset, 7, 0, Adapted: false), layers[2]);
        Assert.Equal(new Layer("block.weight", Layout.Segments[1].Offset, 105, 0.01, Adapted: true), layers[1]);
    }

    [Fact]
    public void Weights_without_decay_by_setting_are_still_adapted() =>
        Assert.True(LayerTable.Build(Layout, new OptimizerSpec(), decay: 0)[1].Adapted);

    [Fact]
    public void Statistics_are_no_layers() =>
        Assert.DoesNotContain(LayerTable.Build(Layout, new OptimizerSpec(), 0.01), layer => layer.Name == "norm.mean");

    [Fact]
    public void A_stack_gives_a_layer_for_each_slice_and_a_stack_of_biases_is_biases()
    {
        var layout = new Layout([("w", [2, 3, 4], SegmentRole.Parameter), ("b", [2, 5], SegmentRole.Parameter)]);
        var layers = LayerTable.Build(layout, new OptimizerSpec { Stacked = ["w", "b"] }, 0.01);
        Assert.Equal(new Layer("w[1]", 12, 12, 0.01, true), layers[1]);
        Assert.Equal(new Layer("b[1]", 37, 5, 0, false), layers[3]);
    }

    [Fact]
    public void The_rows_of_a_layer_sum_to_its_squares_over_several_levels()
    {
        // 40,000 rows of 16: more than one partial sum holds.
        var layout = new Layout([("a", [3], SegmentRole.Parameter), ("b", [640_000], SegmentRole.Parameter), ("c", [5, 5], SegmentRole.Parameter)]);
        var layers = LayerTable.Build(layout, new OptimizerSpec(), 0.01);
        using var rows = new LayerRows(layers, layout.ParameterLength, CPU);
        using var buffer = new FlatBuffer(layout.Length);
        foreach (var (layer, i) in layers.Select((layer, i) => (layer, i))) { buffer.Slice(layer.Offset, layer.Length).Fill(i + 1); }
        using var sums = rows.SumsOfSquares(rows.Of(buffer.Tensor));
        Assert.Equal([3.0, 4 * 640_000.0, 9 * 25.0], sums.data<double>().ToArray());
    }
}
