using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Graphs;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods.ForwardForward;
using Cluster.Trainer.Methods.ForwardForward.Graph;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Vectors;

/// <summary>ForwardGNN against an independent program, in both precisions, by the algorithms that train.</summary>
[Collection(TorchTests.Name)]
public sealed class GraphVectorsTests
{
    public static TheoryData<string, ScalarType> SingleForwards => ForwardForwardVectorsTests.Files("gcn_single_forward");

    public static TheoryData<string, ScalarType> Contrastives => ForwardForwardVectorsTests.Files("gcn_forward_forward");

    public static TheoryData<string, ScalarType> TopDowns => ForwardForwardVectorsTests.Files("gcn_top_down");

    public static TheoryData<string, ScalarType> Links => ForwardForwardVectorsTests.Files("gcn_link_prediction");

    [Theory, MemberData(nameof(SingleForwards))]
    public void Single_forward(string file, ScalarType type)
    {
        foreach (var vector in VectorCase.Of(file))
        {
            using var scope = NewDisposeScope();
            var expected = vector.Expected;
            var task = Task(vector, type);
            var graph = task.Joined(task.Training());
            Assert.Equal(
                expected.Whole("message_src").Zip(expected.Whole("message_dst")).Order(),
                graph.All().Select(message => (message.From, message.To)).Order());
            var normalised = SparseMatrix.Normalised(graph);
            var input = RowNorm.L2(task.WithVirtual());
            var first = new LayerTensors(vector.Tensor("W1", type), vector.Tensor("b1", type));
            var z = new ConvolutionEncoder(isSage: false, threads: 1).Apply([graph], new InputRows(input), first)[0];
            VectorAssert.Close(expected, "adj_norm", normalised.Dense(type));
            VectorAssert.Close(expected, "input_l2", input);
            VectorAssert.Close(expected, "aggregated_input", normalised.Times(input));
            VectorAssert.Close(expected, "pre_activation", z);
            VectorAssert.Close(expected, "embedding", z.relu());

            var nodes = tensor(vector.Whole("train_nodes").Select(node => (long)node).ToArray());
            var (h, c) = (z.relu().index_select(0, nodes), z.relu().narrow(0, task.Nodes, task.Classes));
            VectorAssert.Close(expected, "logits_train_by_class", h.mm(c.t()));
            VectorAssert.Close(expected, "prob_train", VirtualNodeLoss.LogProbabilities(h, c, 1).exp());
            VectorAssert.Close(expected, "loss_tau_0_5", VirtualNodeLoss.Of(h, c, task.LabelsOf(task.Split.Train), 0.5).Losses.mean().to(ScalarType.Float64).item<double>(), type);

            using var algorithm = Algorithm(task, GraphAlgorithm.Sf, layers: 2);
            var second = new LayerTensors(vector.Tensor("W2", type), vector.Tensor("b2", type));
            var gradient = Learn(algorithm, 0, [first, second], expected, "loss_tau_1", type);
            VectorAssert.Close(expected, "grad_W1", gradient.Weight);
            VectorAssert.Close(expected, "grad_b1", gradient.Bias);
            var stepped = new LayerTensors(first.Weight - gradient.Weight * expected.Number("sgd_lr"), first.Bias - gradient.Bias * expected.Number("sgd_lr"));
            VectorAssert.Close(expected, "W1_after_sgd", stepped.Weight);
            VectorAssert.Close(expected, "b1_after_sgd", stepped.Bias);

            var after = expected.At("after_sgd");
            Learn(algorithm, 0, [stepped, second], after, "loss_layer1", type);
            using var upper = Algorithm(Task(vector, type), GraphAlgorithm.Sf, layers: 2);
            gradient = Learn(upper, 1, [stepped, second], after, "layer2_loss", type);
            VectorAssert.Close(after, "layer2_grad_W", gradient.Weight);
            VectorAssert.Close(after, "layer2_grad_b", gradient.Bias);
            Probabilities(vector, type, after, [stepped, second]);
        }
    }

    /// <summary>One step of the kernel that trains, from zero moments; its memory is float32.</summary>
    [Theory, MemberData(nameof(SingleForwards))]
    public void The_first_step_of_adam_with_coupled_decay(string file, ScalarType type)
    {
        if (type == ScalarType.Float64) { return; }
        foreach (var vector in VectorCase.Of(file))
        {
            using var scope = NewDisposeScope();
            using var algorithm = Algorithm(Task(vector, type), GraphAlgorithm.Sf, layers: 1);
            var net = new GraphNet(algorithm.Layers, []);
            using var theta = new FlatBuffer(net.Layout.Length);
            using var sum = new FlatBuffer(net.ContributionLength);
            var weights = net.Layers(theta);
            weights[0].Weight.copy_(vector.Tensor("W1", type));
            weights[0].Bias.copy_(vector.Tensor("b1", type));
            algorithm.Learn(0, 0, algorithm.Samples, weights, [], net.Layers(sum));

            var expected = vector.Expected;
            using var adam = new Trainer.Core.Optimizers.AdamW(
                new OptimizerSpec { Kind = OptimizerKind.Adam, WeightDecay = expected.Number("adam_weight_decay"), Exclude = ExclusionSpec.Nothing }, net.Layout, CPU, threads: 1);
            adam.Step(Part.All(net.Layout), theta, sum, 1.0 / algorithm.Samples, expected.Number("adam_lr"), t: 1);
            VectorAssert.Close(expected, "W1_after_adam_step_1", weights[0].Weight, absolute: 2e-6);
            VectorAssert.Close(expected, "b1_after_adam_step_1", weights[0].Bias, absolute: 2e-6);
        }
    }

    /// <summary>Virtual nodes that hear and do not speak: a graph whose messages go one way.</summary>
    [Theory, MemberData(nameof(SingleForwards))]
    public void One_way_edges(string file, ScalarType type)
    {
        foreach (var vector in VectorCase.Of(file).Where(vector => vector.Expected.Has("unidirectional")))
        {
            using var scope = NewDisposeScope();
            var expected = vector.Expected.At("unidirectional");
            using var task = Task(vector, type);
            var graph = new Adjacency(task.Nodes + task.Classes, expected.Whole("message_src").Zip(expected.Whole("message_dst")));
            VectorAssert.Close(expected, "adj_norm", SparseMatrix.Normalised(graph).Dense(type));

            var layer = new LayerTensors(vector.Tensor("W1", type), vector.Tensor("b1", type));
            int[] rows = [.. task.Split.Train, .. Enumerable.Range(0, task.Classes).Select(task.VirtualNode)];
            using var pass = new ConvolutionEncoder(isSage: false, threads: 1).Prepare([graph], new InputRows(RowNorm.L2(task.WithVirtual())), rows);
            var h = pass.Forward(layer).relu()[0];
            var n = task.Split.Train.Length;
            var (losses, byNodes, byVirtual, _) = VirtualNodeLoss.Of(h.narrow(0, 0, n), h.narrow(0, n, task.Classes), task.LabelsOf(task.Split.Train), 1);
            var gradient = new LayerTensors(zeros_like(layer.Weight), zeros_like(layer.Bias));
            pass.Backward(layer, (cat([byNodes, byVirtual]) * h.gt(0)).unsqueeze(0), gradient);
            VectorAssert.Close(expected, "loss_tau_1", losses.mean().to(ScalarType.Float64).item<double>(), type);
            VectorAssert.Close(expected, "grad_W1", gradient.Weight / n);
        }
    }

    [Theory, MemberData(nameof(Contrastives))]
    public void Label_appending_and_virtual_nodes(string file, ScalarType type)
    {
        foreach (var vector in VectorCase.Of(file))
        {
            foreach (var (part, kind) in ((string, GraphAlgorithm)[])[("label_appending", GraphAlgorithm.FfLa), ("virtual_nodes", GraphAlgorithm.FfVn)])
            {
                using var scope = NewDisposeScope();
                var task = Task(vector, type);
                using var algorithm = Algorithm(task, kind, layers: 1, vector.Number("theta"));
                var layer = new LayerTensors(vector.At(part).Tensor("W", type), vector.At(part).Tensor("b", type));
                var expected = vector.At(part).Expected;
                var gradient = Learn(algorithm, 0, [layer], expected, "loss", type);
                VectorAssert.Close(expected, "grad_W", gradient.Weight);
                VectorAssert.Close(expected, "grad_b", gradient.Bias);

                var positive = kind == GraphAlgorithm.FfLa ? task.Real : task.Joined(task.Training());
                VectorAssert.Close(expected, kind == GraphAlgorithm.FfLa ? "adj_norm" : "adj_norm_pos", SparseMatrix.Normalised(positive).Dense(type));
                var goodness = Goodnesses(algorithm, layer, task, positive, kind, expected);
                if (goodness is { } next) { VectorAssert.Close(expected, "next_layer_input_all_graphs", next); }
            }
        }
    }

    [Theory, MemberData(nameof(TopDowns))]
    public void Top_to_input(string file, ScalarType type)
    {
        foreach (var vector in VectorCase.Of(file))
        {
            using var scope = NewDisposeScope();
            var part = vector.At("top_to_input");
            var weights = TwoLayers(part, type);
            using var algorithm = Algorithm(Task(vector, type), GraphAlgorithm.SfTopToInput, layers: 2, order: LayerOrder.Alternating);
            var memory = Begin(algorithm, weights, type);
            var expected = part.Expected;
            VectorAssert.Close(expected, "initial_state_1", memory[0]);
            VectorAssert.Close(expected, "initial_state_2", memory[1]);

            var gradient = Learn(algorithm, 0, weights, expected, "layer1_loss", type, memory);
            VectorAssert.Close(expected, "layer1_grad_W", gradient.Weight);
            VectorAssert.Close(expected, "layer1_grad_b", gradient.Bias);
            algorithm.Remember(0, weights, memory);
            VectorAssert.Close(expected, "new_state_1", memory[2]);
            VectorAssert.Close(expected, "initial_state_1", memory[0]);

            gradient = Learn(algorithm, 1, weights, expected, "layer2_loss", type, memory);
            VectorAssert.Close(expected, "layer2_grad_W", gradient.Weight);
            VectorAssert.Close(expected, "layer2_grad_b", gradient.Bias);
            algorithm.Remember(1, weights, memory);
            VectorAssert.Close(expected, "new_state_1", memory[0]); // The time step is over.
        }
    }

    [Theory, MemberData(nameof(TopDowns))]
    public void Top_to_loss(string file, ScalarType type)
    {
        foreach (var vector in VectorCase.Of(file))
        {
            using var scope = NewDisposeScope();
            var part = vector.At("top_to_loss");
            var weights = TwoLayers(part, type);
            using var algorithm = Algorithm(Task(vector, type), GraphAlgorithm.SfTopToLoss, layers: 2, order: LayerOrder.Together);
            var memory = Begin(algorithm, weights, type);
            var expected = part.Expected;
            VectorAssert.Close(expected, "state_1", memory[0]);
            VectorAssert.Close(expected, "state_2", memory[1]);

            var first = Learn(algorithm, 0, weights, expected, "layer1_loss", type, memory);
            VectorAssert.Close(expected, "layer1_grad_W_unclipped", first.Weight);
            VectorAssert.Close(expected, "layer1_grad_b_unclipped", first.Bias);
            VectorAssert.Close(expected, "layer1_grad_total_norm", (first.Weight.square().sum() + first.Bias.square().sum()).sqrt().to(ScalarType.Float64).item<double>(), type);
            algorithm.Remember(0, weights, memory);
            var second = Learn(algorithm, 1, weights, expected, "layer2_loss", type, memory);
            VectorAssert.Close(expected, "layer2_grad_W_unclipped", second.Weight);
            VectorAssert.Close(expected, "layer2_grad_b_unclipped", second.Bias);
        }
    }

    /// <summary>The vectors say nothing of it, so it is computed here, densely, from the same formulas: each layer's classes are those its loss was of.</summary>
    [Theory, MemberData(nameof(TopDowns))]
    public void Top_to_loss_predicts_by_what_its_losses_are_of(string file, ScalarType type)
    {
        foreach (var vector in VectorCase.Of(file))
        {
            using var scope = NewDisposeScope();
            var part = vector.At("top_to_loss");
            var weights = TwoLayers(part, type);
            var (graph, x) = (vector.Tensor("adj_norm", type), cat([vector.Tensor("features", type), vector.Tensor("virtual_features", type)]));
            var labels = tensor(vector.Whole("labels").Select(label => (long)label).ToArray());
            foreach (var upwardPass in Enum.GetValues<UpwardPass>())
            {
                var (first, second) = upwardPass == UpwardPass.AsReleased ? (x, Layer(0, x)) : (RowNorm.L2(x), RowNorm.L2(Layer(0, RowNorm.L2(x))));
                var (s1, s2) = (RowNorm.L2(Layer(0, first)), RowNorm.L2(Layer(1, second)));
                var probabilities = Classes((Layer(0, RowNorm.L2(x)) + s2) / 2) + Classes(Layer(1, s1));
                var loss = -(probabilities / 2).log().gather(1, labels.unsqueeze(1)).sum().to(ScalarType.Float64).item<double>();

                using var algorithm = Algorithm(Task(vector, type), GraphAlgorithm.SfTopToLoss, layers: 2, upwardPass: upwardPass);
                var tally = algorithm.Evaluate(1, weights);
                Assert.Equal(loss, tally.Loss, 1e-5);
                Assert.Equal(probabilities.argmax(1).eq(labels).sum().item<long>(), tally.Correct);
            }

            Tensor Layer(int l, Tensor input) => (graph.mm(input).mm(weights[l].Weight) + weights[l].Bias).relu();
            Tensor Classes(Tensor m) => m.narrow(0, 0, labels.shape[0]).mm(m.narrow(0, labels.shape[0], m.shape[0] - labels.shape[0]).t()).softmax(1);
        }
    }

    [Theory, MemberData(nameof(Links))]
    public void Link_prediction(string file, ScalarType type)
    {
        foreach (var vector in VectorCase.Of(file))
        {
            using var scope = NewDisposeScope();
            var expected = vector.Expected;
            var layer = new LayerTensors(vector.Tensor("W", type), vector.Tensor("b", type));
            var pairs = new LinkPairs([.. vector.Pairs("positive_pairs")], [.. vector.Pairs("negative_pairs")]);
            var split = new LinkSplit(pairs, pairs, pairs);
            var encoder = new ConvolutionEncoder(isSage: false, threads: 1);
            var graph = Adjacency.Undirected(vector.Count("num_nodes"), vector.Pairs("message_edges"));
            VectorAssert.Close(expected, "adj_norm", SparseMatrix.Normalised(graph).Dense(type));
            var h = encoder.Apply([graph], new InputRows(RowNorm.L2(vector.Tensor("features", type))), layer)[0].relu();
            VectorAssert.Close(expected, "embedding", h);

            using var rows = new PairRows([.. pairs.Joined, .. pairs.Apart], vector.Count("num_nodes"));
            var (from, to) = rows.Of(h);
            VectorAssert.Close(expected, "logits", (from * to).sum(1));
            VectorAssert.Close(expected, "link_prob", new PairLoss(null).Probabilities(from, to));
            VectorAssert.Close(expected, "ff_goodness", Goodness.Of(from * to));

            using var crossEntropy = new SingleForward(
                new LinkEmbeddings(vector.Count("num_nodes"), vector.Tensor("features", type), split, new PairLoss(null)), [new GraphLayer(encoder, layer.Weight.shape[0], layer.Weight.shape[1])]);
            var gradient = Learn(crossEntropy, 0, [layer], expected, "ce_loss", type);
            VectorAssert.Close(expected, "ce_grad_W", gradient.Weight);
            VectorAssert.Close(expected, "ce_grad_b", gradient.Bias);

            using var contrastive = new SingleForward(
                new LinkEmbeddings(vector.Count("num_nodes"), vector.Tensor("features", type), split, new PairLoss(new Contrast(ContrastLoss.ForwardForward, 2, 0))),
                [new GraphLayer(encoder, layer.Weight.shape[0], layer.Weight.shape[1])]);
            Learn(contrastive, 0, [layer], expected, "ff_loss", type);
        }
    }

    /// <summary>Mean probabilities and predictions of two layers, of all real nodes.</summary>
    private static void Probabilities(VectorCase vector, ScalarType type, VectorCase expected, LayerTensors[] weights)
    {
        using var task = new NodeEmbeddings(Task(vector, type), temperature: 1);
        var asked = tensor(task.NodesOf(Examination.Validation).Select(node => (long)node).ToArray());
        var x = RowNorm.L2(task.Features);
        var scores = new List<Tensor>();
        foreach (var layer in weights)
        {
            var h = new ConvolutionEncoder(isSage: false, threads: 1).Apply([task.Messages], new InputRows(x), layer)[0].relu();
            scores.Add(task.Scores(h.index_select(0, asked), Examination.Validation));
            x = RowNorm.L2(h);
            if (scores.Count == 1) { VectorAssert.Close(expected, "layer2_input", x); }
        }

        VectorAssert.Close(expected, "class_prob_layer1", scores[0]);
        VectorAssert.Close(expected, "class_prob_layer2", scores[1]);
        VectorAssert.Close(expected, "mean_class_prob", (scores[0] + scores[1]) / 2);
        Assert.Equal(expected.Whole("predicted"), (scores[0] + scores[1]).argmax(1).data<long>().Select(label => (int)label));
    }

    /// <summary>Goodness of the training nodes with every label; of virtual nodes also what the next layer is given.</summary>
    private static Tensor? Goodnesses(IGraphAlgorithm algorithm, LayerTensors layer, NodeTask task, Adjacency positive, GraphAlgorithm kind, VectorCase expected)
    {
        var train = tensor(task.Split.Train.Select(node => (long)node).ToArray());
        var encoder = algorithm.Layers[0].Encoder;
        var perShift = new List<Tensor>();
        for (var shift = 0; shift < task.Classes; shift++)
        {
            var labels = task.Training(shift).ToDictionary(one => one.Node, one => one.Label);
            var (graph, features) = (task.Joined(task.Training(shift)), task.WithVirtual());
            if (kind == GraphAlgorithm.FfLa)
            {
                var codes = full(task.Nodes, task.Classes, 1.0 / task.Classes, dtype: features.dtype);
                foreach (var (node, label) in labels)
                {
                    codes[node].zero_();
                    codes[node, label] = 1;
                }

                (graph, features) = (task.Real, cat([task.Features, codes], 1));
            }

            perShift.Add(Goodness.Of(encoder.Apply([graph], new InputRows(RowNorm.L2(features)), layer)[0].relu().index_select(0, train)));
        }

        if (kind == GraphAlgorithm.FfLa)
        {
            VectorAssert.Close(expected, "goodness_pos_train", perShift[0]);
            VectorAssert.Close(expected, "goodness_neg_train", stack([.. perShift.Skip(1)]));
            return null;
        }

        VectorAssert.Close(expected, "goodness_train_by_shift", stack([.. perShift]));
        return RowNorm.L2(encoder.Apply([positive], new InputRows(RowNorm.L2(task.WithVirtual())), layer)[0].relu());
    }

    /// <summary>The mean gradient of a unit over all samples; its loss is compared on the way. Cut in two, the sums must be the same.</summary>
    private static LayerTensors Learn(IGraphAlgorithm algorithm, int unit, LayerTensors[] weights, VectorCase expected, string loss, ScalarType type, Tensor[]? memory = null)
    {
        LayerTensors[] whole = [.. weights.Select(Zero)], cut = [.. weights.Select(Zero)];
        var n = algorithm.Samples;
        var tally = algorithm.Learn(unit, 0, n, weights, memory ?? [], whole);
        VectorAssert.Close(expected, loss, tally.Loss / n, type);

        var parts = algorithm.Learn(unit, 0, 1, weights, memory ?? [], cut).Loss + algorithm.Learn(unit, 1, n - 1, weights, memory ?? [], cut).Loss;
        Assert.Equal(tally.Loss, parts, Math.Abs(tally.Loss) * 1e-5);
        Assert.True(whole[unit].Weight.allclose(cut[unit].Weight, 1e-4, 1e-5));
        return new LayerTensors(whole[unit].Weight / n, whole[unit].Bias / n);

        static LayerTensors Zero(LayerTensors layer) => new(zeros_like(layer.Weight), zeros_like(layer.Bias));
    }

    private static Tensor[] Begin(IGraphAlgorithm algorithm, LayerTensors[] weights, ScalarType type)
    {
        Tensor[] memory = [.. algorithm.Memory.Select(one => zeros(one.Shape, dtype: type))];
        algorithm.Begin(weights, memory);
        return memory;
    }

    private static LayerTensors[] TwoLayers(VectorCase part, ScalarType type) =>
        [new(part.Tensor("W1", type), part.Tensor("b1", type)), new(part.Tensor("W2", type), part.Tensor("b2", type))];

    private static NodeTask Task(VectorCase vector, ScalarType type)
    {
        var all = Enumerable.Range(0, vector.Count("num_nodes")).ToImmutableArray();
        return new NodeTask(
            Adjacency.Undirected(vector.Count("num_nodes"), vector.Pairs("undirected_edges")),
            vector.Tensor("features", type).DetachFromDisposeScope(),
            vector.Tensor("virtual_features", type).DetachFromDisposeScope(),
            [.. vector.Whole("labels")],
            new NodeSplit([.. vector.Whole("train_nodes")], all, all));
    }

    private static IGraphAlgorithm Algorithm(NodeTask task, GraphAlgorithm algorithm, int layers, double threshold = 2, LayerOrder order = LayerOrder.Sequential, UpwardPass upwardPass = UpwardPass.AsReleased)
    {
        var spec = new ForwardForwardSpec.Graph { Algorithm = algorithm, Threshold = threshold, Order = order, UpwardPass = upwardPass };
        var width = 3; // Only says how wide the layers are that a vector gives its own weights to.
        var job = new JobSpec { Name = "vector", Method = TrainingMethod.ForwardForward, Model = new ModelSpec.Gcn { Layers = layers, Width = width }, Data = new DataSpec.Graph(), ForwardForward = spec };
        return GraphAlgorithms.ForNodes(job, spec, task);
    }
}
