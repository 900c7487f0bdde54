using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Models;

[Collection(TorchTests.Name)]
public sealed class ModelCatalogTests
{
    public static TheoryData<string> Kinds => [.. Sample.All.Keys.Where(kind => kind != "mae")]; // Its output is no logits: see MaeTests.

    [Theory, MemberData(nameof(Kinds))]
    public void Logits_have_one_row_a_sample_or_a_token(string kind)
    {
        var sample = Sample.All[kind];
        using var network = sample.Network();
        using var batch = sample.Batch(seed: 1, count: 5);
        network.eval();
        using var logits = network.Logits(batch.Inputs);
        Assert.Equal(sample.Shape.Length == 1 ? [5, sample.Shape[0], sample.Classes] : new long[] { 5, sample.Classes }, logits.shape);
    }

    public static TheoryData<string, long[], long> KnownSizes => new()
    {
        { "mlp", [784], 784 * 128 + 128 + 128 * 10 + 10 },
        { "lenet", [1, 28, 28], 61_706 },
        { "lenet", [3, 32, 32], 62_006 },
        { "resnet", [3, 32, 32], 269_722 }, // ResNet-20: 0.27 M in the paper's table 6.
    };

    [Theory, MemberData(nameof(KnownSizes))]
    public void Parameter_counts_are_the_known_ones(string kind, long[] shape, long expected)
    {
        ModelSpec spec = kind switch { "mlp" => new ModelSpec.Mlp(), "lenet" => new ModelSpec.LeNet(), _ => new ModelSpec.ResNet() };
        using var model = new FlatModel(ModelCatalog.Create(spec, shape, 10, seed: 1, CPU), Precision.Float32, CPU);
        Assert.Equal(expected, model.Layout.ParameterCount);
    }

    [Fact]
    public void Transformers_have_twelve_widths_squared_a_layer()
    {
        const int d = 64, layers = 3, context = 32, vocabulary = 256;
        const int layer = 12 * d * d + 13 * d; // qkv, projection, two feed-forward matrices; their biases; two norms.
        using var gpt = new FlatModel(ModelCatalog.Create(new ModelSpec.Gpt { Layers = layers, Width = d, Context = context }, [context], vocabulary, 1, CPU), Precision.Float32, CPU);
        using var bert = new FlatModel(ModelCatalog.Create(new ModelSpec.Bert { Layers = layers, Width = d, Context = context }, [context], vocabulary, 1, CPU), Precision.Float32, CPU);

        Assert.Equal(layers * layer + (vocabulary + context) * d + 2 * d, gpt.Layout.ParameterCount);
        Assert.Equal(layers * layer + (vocabulary + 1 + context) * d + 2 * d + d * d + d + 2 * d + vocabulary, bert.Layout.ParameterCount);
    }

    [Fact]
    public void A_gpt_token_sees_only_those_before_it_and_a_bert_token_all()
    {
        foreach (var (kind, causal) in new[] { ("gpt", true), ("bert", false) })
        {
            var sample = Sample.All[kind];
            using var network = sample.Network();
            using var batch = sample.Batch(seed: 3, count: 1);
            network.eval();
            using var before = network.Logits(batch.Inputs);
            batch.Inputs[0, 10] = (batch.Inputs[0, 10] + 1) % sample.Classes;
            using var after = network.Logits(batch.Inputs);
            var changed = (after - before).abs().amax([0, 2]).data<float>().ToArray();

            Assert.Equal(causal, changed[..10].All(change => change == 0));
            Assert.All(changed[10..], change => Assert.NotEqual(0, change));
        }
    }

    [Fact]
    public void Initial_weights_have_the_spread_that_the_papers_give()
    {
        using var gpt = ModelCatalog.Create(new ModelSpec.Gpt { Layers = 8, Width = 128 }, [128], 256, 1, CPU);
        using var resnet = ModelCatalog.Create(new ModelSpec.ResNet { Width = 32 }, [3, 32, 32], 10, 1, CPU);

        AssertSpread(gpt, "blocks.3.attention.qkv.weight", 0.02);
        AssertSpread(gpt, "blocks.3.mlp.project.weight", 0.02 / 4); // 1/√(2·8)
        AssertSpread(gpt, "token.weight", 0.02);
        AssertSpread(resnet, "blocks.1.conv1.weight", Math.Sqrt(2.0 / (9 * 32)));

        static void AssertSpread(Network network, string name, double expected)
        {
            var parameter = network.named_parameters().Single(p => p.name == name).parameter;
            Assert.InRange(parameter.std().item<float>(), 0.95 * expected, 1.05 * expected);
        }
    }

    public static TheoryData<ModelSpec, long[], string> Misfits => new()
    {
        { new ModelSpec.LeNet(), [1, 8, 8], "at least 12x12" },
        { new ModelSpec.LeNet(), [64], "a sample of this data set is [64]" },
        { new ModelSpec.ResNet(), [3, 32, 4], "at least 8x8" },
        { new ModelSpec.Gpt { Context = 64 }, [65], "65 tokens does not fit a context of 64" },
        { new ModelSpec.Bert { Context = 64 }, [1, 28, 28], "needs samples of tokens [T]" },
        { new ModelSpec.Bert { Width = 130 }, [64], "the width (130) must be a multiple of the heads (4)" },
    };

    [Theory, MemberData(nameof(Misfits))]
    public void A_model_that_does_not_fit_the_data_says_what_would(ModelSpec spec, long[] shape, string part)
    {
        var error = Assert.Throws<BadInputException>(() => ModelCatalog.Create(spec, shape, 10, 1, CPU));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_longer_sequence_than_the_context_is_refused_in_the_forward_pass_too()
    {
        var sample = Sample.All["gpt"];
        using var network = sample.Network();
        using var batch = (sample with { Shape = [25] }).Batch(seed: 1);
        Assert.Throws<BadInputException>(() => network.Logits(batch.Inputs));
    }
}
