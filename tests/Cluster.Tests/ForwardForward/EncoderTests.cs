using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Graphs;
using Cluster.Trainer.Methods.ForwardForward.Graph;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.ForwardForward;

/// <summary>Sparse layers and their hand-derived gradients against dense ones and autograd, in float64.</summary>
[Collection(TorchTests.Name)]
public sealed class EncoderTests
{
    private const int Nodes = 23, Inputs = 6, Outputs = 8, Heads = 4, Virtual = 3;

    private static readonly int[] s_rows = [4, 0, 19, 7, 11];

    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var encoder in (string[])["gcn", "sage", "gat"])
            {
                foreach (var inputs in (string[])["one", "stacked", "mixed", "graphs", "graphs and stacked"]) { cases.Add(encoder, inputs); }
            }

            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Forward_and_backward_are_those_of_the_dense_layer(string kind, string inputs)
    {
        using var scope = NewDisposeScope();
        using var generator = manual_seed(7);
        var encoder = Encoder(kind);
        var weights = Weights(encoder);
        var (graphs, x) = Problem(inputs);
        var count = Math.Max(graphs.Count, x.Graphs);

        var expected = new List<Tensor>();
        for (var s = 0; s < count; s++) { expected.Add(Dense(kind, graphs[graphs.Count == 1 ? 0 : s], x.Of(x.Graphs == 1 ? 0 : s), weights)); }

        var all = stack([.. expected]);
        Near(all, encoder.Apply(graphs, x, weights), "Apply");
        Near(all, encoder.Prepare(graphs, x, null).Forward(weights), "all rows");
        var rows = tensor(s_rows.Select(row => (long)row).ToArray());
        var wanted = all.index_select(1, rows);
        var pass = encoder.Prepare(graphs, x, s_rows);
        Near(wanted, pass.Forward(weights), "rows");

        var byZ = randn(wanted.shape, dtype: ScalarType.Float64);
        (wanted * byZ).sum().backward();
        var gradient = Gradient(weights);
        using (no_grad()) { pass.Backward(weights, byZ, gradient); }
        foreach (var (tensor, own) in weights.All.Zip(gradient.All)) { Near(tensor.grad!, own, "gradient"); }
    }

    [Theory, InlineData("gcn"), InlineData("sage"), InlineData("gat")]
    public void The_gradient_of_the_inputs_is_there_for_the_base_line(string kind)
    {
        using var scope = NewDisposeScope();
        using var generator = manual_seed(7);
        var encoder = Encoder(kind);
        var weights = Weights(encoder);
        var graph = Graph(7);
        var x = randn(Nodes, Inputs, dtype: ScalarType.Float64).requires_grad_(true);
        var byZ = randn(1, Nodes, Outputs, dtype: ScalarType.Float64);
        (Dense(kind, graph, x, weights) * byZ[0]).sum().backward();

        using var _ = no_grad();
        using var pass = encoder.Prepare([graph], new InputRows(x.detach()), null);
        pass.Forward(weights);
        pass.Backward(weights, byZ, Gradient(weights));
        Near(x.grad!, pass.InputGradient(weights, byZ), "inputs");
    }

    /// <summary>What a layer is asked for is the same bits whatever the number of math threads.</summary>
    [Theory, InlineData("gcn"), InlineData("sage"), InlineData("gat")]
    public void Threads_change_no_bit_of_the_sums(string kind)
    {
        using var scope = NewDisposeScope();
        using var generator = manual_seed(7);
        var (one, many) = (Encoder(kind), Encoder(kind, threads: 3));
        var weights = Weights(one);
        var x = new InputRows(randn(Nodes, Inputs, dtype: ScalarType.Float64));
        var byZ = randn(1, Nodes, Outputs, dtype: ScalarType.Float64);
        var (a, b) = (Gradient(weights), Gradient(weights));
        using var _ = no_grad();
        foreach (var (encoder, gradient) in ((IGraphEncoder, LayerTensors)[])[(one, a), (many, b)])
        {
            using var pass = encoder.Prepare([Graph(3)], x, null);
            pass.Forward(weights);
            pass.Backward(weights, byZ, gradient);
        }

        Assert.True(one.Apply([Graph(3)], x, weights).equal(many.Apply([Graph(3)], x, weights)).all().item<bool>());
        foreach (var (first, second) in a.All.Zip(b.All)) { Assert.True(first.equal(second).all().item<bool>()); }
    }

    private static (IReadOnlyList<Adjacency> Graphs, InputRows Inputs) Problem(string inputs)
    {
        var one = randn(Nodes, Inputs, dtype: ScalarType.Float64);
        var stacked = randn(3, Nodes, Inputs, dtype: ScalarType.Float64);
        Adjacency[] graphs = [VirtualEdges(0), VirtualEdges(1), VirtualEdges(2)];
        return inputs switch
        {
            "one" => ([Graph(1)], new InputRows(one)),
            "stacked" => ([Graph(1)], new InputRows(stacked)),
            "mixed" => ([Graph(1)], new InputRows(one, randn(3, Nodes, 2, dtype: ScalarType.Float64), randn(2, Inputs, dtype: ScalarType.Float64))),
            "graphs" => (graphs, new InputRows(one)),
            _ => (graphs, new InputRows(stacked)),
        };
    }

    /// <summary>The last three nodes are joined to others in each graph, as virtual nodes are.</summary>
    private static Adjacency VirtualEdges(int shift) => Graph(5, Nodes - Virtual).With(Virtual, s_rows.Select((row, i) => (row, Nodes - Virtual + (i + shift) % Virtual)));

    private static Adjacency Graph(int seed, int nodes = Nodes)
    {
        var random = new SeededRandom(Seeds.Derive(seed, SeedPurpose.Shuffle));
        return Adjacency.Undirected(nodes, [.. Enumerable.Range(0, 2 * nodes).Select(_ => (random.NextInt(nodes), random.NextInt(nodes - 1)))]); // Some are isolated.
    }

    private static IGraphEncoder Encoder(string kind, int threads = 1) => kind == "gat" ? new AttentionEncoder(Heads, threads) : new ConvolutionEncoder(kind == "sage", threads);

    private static LayerTensors Weights(IGraphEncoder encoder)
    {
        var tensors = encoder.Tensors(Inputs, Outputs).Select(t => randn(t.Shape.AsSpan(), dtype: ScalarType.Float64).requires_grad_(true)).ToArray();
        return new LayerTensors(tensors[0], tensors[1], tensors.Length > 2 ? tensors[2] : null, tensors.Length > 2 ? tensors[3] : null);
    }

    private static LayerTensors Gradient(LayerTensors weights) => new(
        zeros_like(weights.Weight), zeros_like(weights.Bias), weights.Source is null ? null : zeros_like(weights.Source), weights.Target is null ? null : zeros_like(weights.Target));

    /// <summary>The layer as its paper writes it, with matrices of nodes × nodes.</summary>
    private static Tensor Dense(string kind, Adjacency graph, Tensor x, LayerTensors w)
    {
        if (kind == "gcn") { return SparseMatrix.Normalised(graph).Dense(ScalarType.Float64).mm(x).mm(w.Weight) + w.Bias; }
        if (kind == "sage") { return cat([SparseMatrix.Mean(graph).Dense(ScalarType.Float64).mm(x), x], 1).mm(w.Weight) + w.Bias; }

        var g = x.mm(w.Weight).view(Nodes, Heads, -1);
        var e = nn.functional.leaky_relu((g * w.Source!).sum(-1).unsqueeze(0) + (g * w.Target!).sum(-1).unsqueeze(1), 0.2); // [i, j, heads]
        var joined = SparseMatrix.Normalised(graph).Dense(ScalarType.Float64).gt(0).unsqueeze(-1);
        var alpha = e.masked_fill(joined.logical_not(), double.NegativeInfinity).softmax(1);
        return einsum("ijh,jhd->ihd", alpha, g).flatten(1) + w.Bias;
    }

    private static void Near(Tensor wanted, Tensor found, string what) => Assert.True(wanted.allclose(found, 1e-9, 1e-10), $"{what}: off by {(wanted - found).abs().max().item<double>()}");
}
