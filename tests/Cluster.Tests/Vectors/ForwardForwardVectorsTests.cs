using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Methods.ForwardForward;
using Cluster.Trainer.Methods.ForwardForward.Dense;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Vectors;

/// <summary>Dense forward-forward against an independent program, in both precisions, by the functions that train.</summary>
[Collection(TorchTests.Name)]
public sealed class ForwardForwardVectorsTests
{
    private const string Family = "forwardforward";

    public static TheoryData<string, ScalarType> Layers => Files("ff_layer");

    public static TheoryData<string, ScalarType> Supervised => Files("ff_supervised");

    public static TheoryData<string, ScalarType> Hybrids => Files("hybrid_negative");

    internal static TheoryData<string, ScalarType> Files(string prefix)
    {
        var data = new TheoryData<string, ScalarType>();
        foreach (var file in VectorFiles.Of(Family).Where(file => Path.GetFileName(file).StartsWith(prefix, StringComparison.Ordinal)))
        {
            data.Add(file, ScalarType.Float64);
            data.Add(file, ScalarType.Float32);
        }

        return data;
    }

    [Fact]
    public void The_shipped_files_are_all_there() =>
        Assert.True(Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Vectors", Family), "*.json").Count() >= 8);

    [Theory, MemberData(nameof(Layers))]
    public void A_layer_its_gradient_and_a_step(string file, ScalarType type)
    {
        foreach (var vector in VectorCase.Of(file))
        {
            using var scope = NewDisposeScope();
            Assert.Equal("relu", vector.Text("activation"));
            var kind = vector.Text("goodness_kind") == "sum" ? GoodnessKind.Sum : GoodnessKind.Mean;
            var contrast = new Contrast(ContrastLoss.ForwardForward, vector.Number("theta"), Alpha: 0);
            var layer = new DenseLayer(vector.Tensor("W", type), vector.Tensor("b", type));
            var (positive, negative) = (vector.Tensor("x_pos", type), vector.Tensor("x_neg", type));
            var n = positive.shape[0];
            var expected = vector.Expected;

            var (y, g, losses, gradient) = Learn(layer, positive, negative, contrast, kind);
            VectorAssert.Close(expected, "h_pos", y.narrow(0, 0, n));
            VectorAssert.Close(expected, "h_neg", y.narrow(0, n, n));
            VectorAssert.Close(expected, "goodness_pos", g[0]);
            VectorAssert.Close(expected, "goodness_neg", g[1]);
            VectorAssert.Close(expected, "p_positive_of_pos", (g[0] - contrast.Threshold).sigmoid());
            VectorAssert.Close(expected, "p_positive_of_neg", (g[1] - contrast.Threshold).sigmoid());
            VectorAssert.Close(expected, "loss_sum_of_means", losses.mean().to(ScalarType.Float64).item<double>(), type);
            VectorAssert.Close(expected, "grad_W", gradient.Weight / n);
            VectorAssert.Close(expected, "grad_b", gradient.Bias / n);
            VectorAssert.Close(expected, "next_input_pos_l2", RowNorm.L2(y.narrow(0, 0, n)));
            VectorAssert.Close(expected, "next_input_neg_l2", RowNorm.L2(y.narrow(0, n, n)));
            VectorAssert.Close(expected, "next_input_pos_rms", RowNorm.Rms(y.narrow(0, 0, n)));
            VectorAssert.Close(expected, "next_input_neg_rms", RowNorm.Rms(y.narrow(0, n, n)));

            var stepped = new DenseLayer(layer.Weight - gradient.Weight * (vector.Expected.Number("sgd_lr") / n), layer.Bias - gradient.Bias * (vector.Expected.Number("sgd_lr") / n));
            VectorAssert.Close(expected, "W_after_sgd", stepped.Weight);
            VectorAssert.Close(expected, "b_after_sgd", stepped.Bias);
            var after = Learn(stepped, positive, negative, contrast, kind).Losses;
            VectorAssert.Close(expected, "loss_after_sgd", after.mean().to(ScalarType.Float64).item<double>(), type);
        }
    }

    [Theory, MemberData(nameof(Supervised))]
    public void A_label_in_the_input_and_the_goodness_of_every_label(string file, ScalarType type)
    {
        foreach (var vector in VectorCase.Of(file))
        {
            using var scope = NewDisposeScope();
            var classes = vector.Count("num_classes");
            var label = new LabelInput(classes, LabelPlace.Overwrite, value: 1);
            var images = vector.Tensor("images", type);
            var (weights, biases) = Weights(file, type);
            VectorAssert.Close(vector.Expected, "input_with_true_label", label.With(images, [.. vector.Whole("labels").Select(one => (long)one)]));
            VectorAssert.Close(vector.Expected, "neutral_input", label.Neutral(images));

            var perLayer = stack([.. Enumerable.Range(0, classes).Select(k => stack(Goodnesses(label.WithEach(images, k), weights, biases), 1))], 1); // [n, K, layers]
            VectorAssert.Close(vector.Expected, "goodness_per_image_label_layer", perLayer);
            Predicts(vector.Expected, "accumulated_all_layers", "predicted_all_layers", perLayer.sum(2));
            Predicts(vector.Expected, "accumulated_without_first_layer", "predicted_without_first_layer", perLayer.narrow(2, 1, perLayer.shape[2] - 1).sum(2));
        }

        static void Predicts(VectorCase expected, string scores, string classes, Tensor found)
        {
            VectorAssert.Close(expected, scores, found);
            Assert.Equal(expected.Whole(classes), found.argmax(1).data<long>().Select(one => (int)one));
        }
    }

    [Theory, MemberData(nameof(Hybrids))]
    public void Patched_images(string file, ScalarType type)
    {
        foreach (var vector in VectorCase.Of(file))
        {
            using var scope = NewDisposeScope();
            var blurs = int.Parse(System.Text.RegularExpressions.Regex.Match(vector.Text("rule"), @"(\d+) times").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
            var mask = HybridImages.Mask(vector.Tensor("noise", type).unsqueeze(0), blurs)[0];
            VectorAssert.Close(vector.Expected, "mask", mask);
            VectorAssert.Close(vector.Expected, "hybrid", HybridImages.Join(mask, vector.Tensor("first", type), vector.Tensor("second", type)));
        }
    }

    private static (Tensor Y, Tensor G, Tensor Losses, DenseLayer Gradient) Learn(DenseLayer layer, Tensor positive, Tensor negative, Contrast contrast, GoodnessKind kind)
    {
        var x = cat([positive, negative]);
        var y = layer.Forward(x);
        var g = Goodness.Of(y, kind).view(2, positive.shape[0]);
        var (losses, byPositive, byNegative) = contrast.Of(g[0], g.narrow(0, 1, 1));
        var gradient = new DenseLayer(zeros_like(layer.Weight), zeros_like(layer.Bias));
        gradient.AddGradient(x, y, cat([byPositive, byNegative[0]]), kind);
        return (y, g, losses, gradient);
    }

    /// <summary>The file's net: all layers in one list, the first with as many inputs as an image, the others narrower.</summary>
    private static (Tensor[] W, Tensor[] B) Weights(string file, ScalarType type)
    {
        var root = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(file)).RootElement.GetProperty("cases")[0];
        return ([.. root.GetProperty("W").EnumerateArray().Select(Matrix)], [.. root.GetProperty("b").EnumerateArray().Select(Vector)]);

        Tensor Vector(System.Text.Json.JsonElement list) => tensor(list.EnumerateArray().Select(item => item.GetDouble()).ToArray()).to(type);
        Tensor Matrix(System.Text.Json.JsonElement rows) => stack([.. rows.EnumerateArray().Select(Vector)]);
    }

    private static List<Tensor> Goodnesses(Tensor input, Tensor[] weights, Tensor[] biases)
    {
        var (x, goodness) = (RowNorm.Rms(input), new List<Tensor>());
        foreach (var (weight, bias) in weights.Zip(biases))
        {
            var y = new DenseLayer(weight, bias).Forward(x);
            goodness.Add(Goodness.Of(y, GoodnessKind.Mean));
            x = RowNorm.Rms(y);
        }

        return goodness;
    }
}
