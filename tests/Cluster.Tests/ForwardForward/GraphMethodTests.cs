using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Graphs;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.ForwardForward.Graph;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.ForwardForward;

[Collection(TorchTests.Name)]
public sealed class GraphMethodTests
{
    private const string Cora = """
        name: cora
        method: forwardForward
        model: { kind: gcn, layers: 2, width: 16 }
        data: { kind: graph, split: public }
        epochs: 6
        leaf: 60
        optimizer: { kind: adam, weightDecay: 0.0005, exclude: nothing }
        schedule: { lr: 0.01, decay: constant }
        forwardForward: { kind: graph, algorithm: sf }
        """;

    /// <summary>Three leaves a round, the last one ragged; every algorithm, and every encoder once.</summary>
    [Theory]
    [InlineData("model.kind=gcn", "forwardForward.algorithm=sf")]
    [InlineData("model.kind=sage", "forwardForward.algorithm=ffLa")]
    [InlineData("model={kind: gat, width: 16}", "forwardForward.algorithm=ffVn")]
    [InlineData("model.kind=gcn", "forwardForward={kind: graph, algorithm: sfTopToInput, predictionSteps: 3, order: alternating}")]
    [InlineData("model.kind=gcn", "forwardForward.algorithm=sfTopToLoss")]
    [InlineData("model={kind: gat, width: 16}", "forwardForward.algorithm=backPropagation")]
    [InlineData("data={kind: graph}", "forwardForward={kind: graph, task: links}")]
    public void The_answer_is_the_same_bits_on_any_number_of_ranks(params string[] changes)
    {
        var spec = Jobs.Read(Cora, ["epochs=3", .. changes, .. changes[1].Contains("links", StringComparison.Ordinal) ? (string[])["leaf=2000"] : []]);
        var one = Jobs.Run(spec);
        Assert.Equal(changes[1].EndsWith("backPropagation", StringComparison.Ordinal) ? 3 : 6, one.Rounds);
        Assert.Equal(one, Jobs.Run(spec, ranks: 2));
        Assert.Equal(one, Jobs.Run(spec, ranks: 3));
    }

    /// <summary>Sixty updates of a narrow net with 140 labels: far above the 30 % of the largest class.</summary>
    [Theory]
    [InlineData(0.65, "forwardForward.algorithm=sf")]
    [InlineData(0.45, "forwardForward.algorithm=ffLa", "model.layers=1", "model.width=128", "epochs=100")]
    [InlineData(0.6, "forwardForward={kind: graph, algorithm: sfTopToInput, predictionSteps: 3}")]
    [InlineData(0.6, "forwardForward.algorithm=sfTopToLoss")]
    [InlineData(0.65, "forwardForward.algorithm=backPropagation")]
    [InlineData(0.75, "forwardForward={kind: graph, task: links}", "data={kind: graph}")]
    [InlineData(0.6, "forwardForward={kind: graph, task: links, loss: forwardForward}", "data={kind: graph}")]
    public void It_learns(double accuracy, params string[] changes) =>
        Assert.InRange(Jobs.Run(Jobs.Read(Cora, ["epochs=60", "leaf=10000", "model.width=32", .. changes])).Accuracy, accuracy, 1);

    /// <summary>
    /// A newcomer, or a job that is resumed, has the state of another and none of what that one had computed in advance; it must come to
    /// the same answer from any round.
    /// </summary>
    [Theory]
    [InlineData("forwardForward.algorithm=sf")]
    [InlineData("forwardForward={kind: graph, algorithm: sfTopToInput, predictionSteps: 2, predictionFrom: 1}")]
    public void A_method_goes_on_from_the_state_of_another(string change)
    {
        var spec = Jobs.Read(Cora, "epochs=4", change);
        using var veteran = Jobs.Method(spec);
        for (var round = 0L; round < veteran.Rounds; round++)
        {
            using var newcomer = Jobs.Method(spec);
            Copy(veteran.State, newcomer.State);
            var (expected, actual) = (Round(veteran, round), Round(newcomer, round));
            Assert.Equal(expected with { Notices = [] }, actual with { Notices = [] });
            Assert.Equal(string.Join("\n", expected.Notices), string.Join("\n", actual.Notices));
            Assert.Equal(StateHash.Of(veteran.State), StateHash.Of(newcomer.State));
        }
    }

    [Fact]
    public void A_layer_that_does_not_get_better_gives_way_and_goes_back_to_its_best()
    {
        // A rate this large destroys the weights at once: the first validation stays the best, and patience ends each layer.
        var spec = Jobs.Read(Cora, "epochs=1000", "schedule.lr=50", "forwardForward.patience=3");
        using var method = Jobs.Method(spec);
        Assert.Equal(2000, method.Rounds);
        var rounds = 0L;
        var weight = method.State.Layout.Parameters.Single(segment => segment.Name == "layers.0.weight");
        float[]? best = null;
        var notices = new List<string>();
        for (; rounds < method.Rounds; rounds++)
        {
            var (before, waited) = (method.State.Counters["best"], method.State.Counters["unit"]);
            notices.AddRange(Round(method, rounds).Notices);
            var theta = method.State.Buffers[0].Buffer.Slice(weight.Offset, weight.Length).ToArray();
            if (waited == 0 && method.State.Counters["best"] > before) { best = theta; }
            if (waited == 0 && method.State.Counters["unit"] == 1) { Assert.Equal(best, theta); }
        }

        Assert.InRange(rounds, 16, 400);
        Assert.Equal(method.Rounds, rounds);
        Assert.Equal(2, method.State.Counters["unit"]);

        // Three validations without a better one, of every second update: the best is six updates back.
        var updates = notices.Select(notice => Regex.Match(notice, @"^Layer (\d) has learned in (\d+) of at most 1000 updates; the weights kept are those of update (\d+), with [\d.]+ % right in the validation$"))
            .Select(words => words.Groups.Values.Skip(1).Select(group => int.Parse(group.Value, CultureInfo.InvariantCulture)).ToArray()).ToArray();
        Assert.Equal([1, 2], updates.Select(one => one[0]));
        Assert.Equal(rounds, updates.Sum(one => one[1]));
        Assert.All(updates, one => Assert.Equal(one[1] - 6, one[2]));
    }

    [Fact]
    public void The_loop_ends_when_the_last_layer_has_learned()
    {
        var answer = Jobs.Run(Jobs.Read(Cora, "epochs=1000", "schedule.lr=50", "forwardForward.patience=2"), ranks: 2);
        Assert.InRange(answer.Rounds, 12, 400);
    }

    /// <summary>Seven layers against three, the last one learning: four tensors more a layer, the views of its weights and gradient.</summary>
    [Theory]
    [InlineData("forwardForward.algorithm=sf")]
    [InlineData("forwardForward.algorithm=ffLa")]
    [InlineData("forwardForward.algorithm=ffVn")]
    [InlineData("forwardForward.algorithm=sf", "model={kind: gat, width: 16}")]
    public void Depth_takes_no_memory_beyond_the_weights(params string[] changes)
    {
        var (few, many) = (Peaks(3), Peaks(7));
        Assert.InRange(few.Learning, 1, 200);
        var views = changes.Length > 1 ? 8 : 4; // Attention has two more weights.
        Assert.InRange(many.Learning - few.Learning, 0, 4 * views);
        Assert.InRange(many.Predicting - few.Predicting, 0, 4 * views);

        (long Learning, long Predicting) Peaks(int layers)
        {
            using var method = Jobs.Method(Jobs.Read(Cora, [.. changes, $"model.layers={layers}"]));
            using var into = new FlatBuffer(method.ContributionLength);
            method.State.Counters["unit"] = layers - 1;
            return (
                Live.PeakOf(() => method.Contribute(0, method.Leaves(0)[0], into)),
                Live.PeakOf(() => method.Evaluate(method.EvaluationSets[0], method.EvaluationSets[0].Leaves[0])));
        }
    }

    [Theory]
    [InlineData("forwardForward.algorithm=sf")]
    [InlineData("forwardForward.algorithm=ffLa")]
    [InlineData("forwardForward.algorithm=ffVn")]
    [InlineData("forwardForward={kind: graph, algorithm: sfTopToInput, predictionSteps: 2, predictionFrom: 1}")]
    [InlineData("forwardForward.algorithm=sfTopToLoss")]
    [InlineData("forwardForward.algorithm=backPropagation", "model={kind: gat, width: 16}")]
    public void No_tensor_is_left_behind(params string[] changes)
    {
        var spec = Jobs.Read(Cora, ["epochs=1000", "forwardForward.validateEvery=1", .. changes]);
        using var method = Jobs.Method(spec);
        using var sum = new FlatBuffer(method.ContributionLength);
        using var leaf = new FlatBuffer(method.ContributionLength);
        Rounds(0, 4);
        var warm = Live.Tensors();
        Rounds(4, 8);
        method.Evaluate(method.EvaluationSets[0], method.EvaluationSets[0].Leaves[0]);
        Assert.Equal(warm, Live.Tensors());

        void Rounds(int from, int to)
        {
            for (var round = from; round < to; round++)
            {
                foreach (var one in method.Leaves(round)) { method.Contribute(round, one, leaf); }
                sum.CopyFrom(leaf);
                method.Update(round, sum, new(140, 140, 1, 1, 3));
            }
        }
    }

    [Fact]
    public void Links_are_split_into_disjoint_pairs_and_others_that_are_no_edges()
    {
        var graph = GraphFolder.Read(new DataSpec.Graph(), [DataRoots.Shipped]).Edges;
        var split = LinkSplit.Of(graph, seed: 1);
        LinkPairs[] parts = [split.Train, split.Validation, split.Test];
        Assert.Equal([3379, 844, 1055], parts.Select(part => part.Joined.Length));
        Assert.Equal(graph.Messages / 2, parts.SelectMany(part => part.Joined).Distinct().Count());
        Assert.Equal(graph.Messages / 2, parts.SelectMany(part => part.Apart).Distinct().Count());
        Assert.All(parts.SelectMany(part => part.Apart), pair => Assert.False(graph.SendersTo(pair.From).Contains(pair.To)));
        Assert.NotEqual(split.Test.Joined, LinkSplit.Of(graph, seed: 2).Test.Joined);
        Assert.Contains("too small or too dense", Assert.Throws<BadInputException>(() => LinkSplit.Of(Adjacency.Undirected(4, [(0, 1), (1, 2), (2, 3)]), 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_area_under_the_curve_counts_ties_half() =>
        Assert.Equal(6 + 3 + 1, RankOrder.TwiceRight([0.9, 0.5, 0.3], [0.5, 0.3, 0.8])); // 3 of 3; 1 and a tie; a tie.

    private static RoundResult Round(IRoundMethod method, long round)
    {
        using var sum = new FlatBuffer(method.ContributionLength);
        using var leaf = new FlatBuffer(method.ContributionLength);
        var total = method.Leaves(round).Select(one => { var tally = method.Contribute(round, one, leaf); sum.Add(leaf); return tally; }).Aggregate((a, b) => a + b);
        var result = method.Update(round, sum, total);
        Assert.Null(result.Skipped);
        return result with { Values = ImmutableDictionary<string, double>.Empty };
    }

    private static void Copy(MethodState from, MethodState to)
    {
        foreach (var ((_, source), (_, target)) in from.Buffers.Zip(to.Buffers)) { target.CopyFrom(source); }
        foreach (var (name, value) in from.Counters) { to.Counters[name] = value; }
    }
}
