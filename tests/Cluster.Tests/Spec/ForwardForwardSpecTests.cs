using Cluster.Contracts.Spec;

namespace Cluster.Tests.Spec;

/// <summary>What a forwardForward job may say: three kinds, each with keys of its own, and nothing that nobody reads.</summary>
public sealed class ForwardForwardSpecTests
{
    private const string Dense =
        """
        name: dense
        method: forwardForward
        model: {kind: mlp, hidden: [64, 64]}
        data: {kind: digits}
        batch: 100
        epochs: 2
        optimizer: {kind: sgd}
        schedule: {lr: 0.001}
        forwardForward:
          kind: dense
          negatives: randomLabel
        """;

    private const string Graph =
        """
        name: graph
        method: forwardForward
        model: {kind: gcn}
        data: {kind: graph, path: graphs/cora, split: public}
        epochs: 1000
        optimizer: {kind: adam}
        schedule: {lr: 0.001, decay: constant}
        forwardForward:
          kind: graph
          algorithm: sf
        """;

    private const string Physical =
        """
        name: physical
        method: forwardForward
        model: {kind: physical, box: {kind: quantised}}
        data: {kind: vowels}
        batch: 206
        epochs: 2
        optimizer: {kind: adam}
        schedule: {lr: 0.001}
        forwardForward: {kind: physical}
        """;

    public static TheoryData<string, string, int, string, string> InDense => new()
    {
        { "forwardForward:\n  kind: dense\n  negatives: randomLabel", "", 1, "forwardForward", "found no such key" },
        { "kind: dense", "kind: dens", 10, "forwardForward.kind", "(did you mean \"dense\"?), allowed: one of dense, graph, physical" },
        { "{kind: sgd}", "{kind: lamb}", 7, "optimizer.kind", "found lamb, allowed: sgd, adam or adamw" },
        { "optimizer: {kind: sgd}\n", "", 1, "optimizer.kind", "found lamb, allowed: sgd, adam or adamw" },
        { "epochs: 2", "epochs: 2\nprecision: bfloat16", 7, "precision", "found bfloat16, allowed: float32" },
        { "epochs: 2", "epochs: 2\nclip: {norm: 1, point: leaf}", 7, "clip.point", "found leaf" },
        { "[64, 64]", "[64, 64], dropout: 0.1", 3, "model.dropout", "found 0.1, allowed: 0" },
        { "[64, 64]", "[]", 3, "model.hidden", "found no layer" },
        { "{kind: mlp, hidden: [64, 64]}", "{kind: resnet}", 3, "model.kind", "found \"resnet\" with forwardForward.kind dense, allowed: mlp" },
        { "{kind: digits}", "{kind: graph, split: public}", 4, "data.kind", "found \"graph\" with model.kind mlp" },
        { "negatives: randomLabel", "negatives: hybrid", 9, "forwardForward.prediction", "goodness with negatives hybrid, whose layers see no label, allowed: onePass" },
        { "negatives: randomLabel", "negatives: hybrid\n  prediction: onePass\n  label: prepend", 13, "forwardForward.label", "a key that forwardForward.negatives hybrid does not use" },
        { "negatives: randomLabel", "negatives: randomLabel\n  blurSteps: 3", 12, "forwardForward.blurSteps", "this key with forwardForward.negatives hybrid" },
        { "negatives: randomLabel", "negatives: randomLabel\n  readOut: {rateFactor: 3}", 12, "forwardForward.readOut", "a read-out that nothing reads" },
        { "negatives: randomLabel", "negatives: randomLabel\n  alpha: 3", 12, "forwardForward.alpha", "this key with forwardForward.loss symba" },
        { "negatives: randomLabel", "loss: symba\n  threshold: 3", 12, "forwardForward.threshold", "this key with forwardForward.loss forwardForward" },
        { "negatives: randomLabel", "prediction: onePass\n  firstLayerVotes: true", 12, "forwardForward.firstLayerVotes", "this key with forwardForward.prediction goodness" },
        { "negatives: randomLabel", "parallel: layers", 11, "forwardForward.parallel", "layers with negatives hardLabel, which the read-out above all layers draws for the lowest, allowed: data, or negatives randomLabel or hybrid" },
        { "negatives: randomLabel", "task: links", 11, "forwardForward.task", "an unknown key" },
    };

    public static TheoryData<string, string, int, string, string> InGraph => new()
    {
        { "{kind: gcn}", "{kind: gat, heads: 3}", 3, "model.heads", "found 3 heads for a width of 128" },
        { "epochs: 1000", "epochs: 1000\nbatch: 10", 6, "batch", "samples per round with a graph, allowed: no such key" },
        { "epochs: 1000", "rounds: 1000", 5, "rounds", "a number of rounds with a graph, allowed: epochs, the most updates of one layer" },
        { "epochs: 1000\n", "", 1, "epochs", "found no such key, allowed: the most updates of one layer" },
        { "epochs: 1000", "epochs: 1.5", 5, "epochs", "found a part of an update, allowed: a whole number" },
        { "epochs: 1000", "epochs: 1000\nstages: [{epochs: 1}]", 6, "stages", "stages with a graph" },
        { "epochs: 1000", "epochs: 1000\nevaluate: {samples: 5}", 6, "evaluate.samples", "a part of the test" },
        { ", decay: constant", "", 7, "schedule.decay", "found linear, allowed: constant" },
        { "decay: constant", "decay: constant, warmupRounds: 3", 7, "schedule.warmupRounds", "a warm-up with a graph" },
        { "lr: 0.001, ", "", 7, "schedule.lr", "no learning rate" },
        { ", split: public", "", 4, "data.split", "found no such key, allowed: the name of a split in splits.json" },
        { "algorithm: sf", "task: links", 4, "data.split", "a split of the nodes with task links" },
        { "algorithm: sf", "algorithm: sf\n  loss: symba", 11, "forwardForward.loss", "a loss with algorithm sf and task nodes, which has its own" },
        { "algorithm: sf", "algorithm: ffLa\n  loss: crossEntropy", 11, "forwardForward.loss", "crossEntropy with algorithm ffLa, allowed: forwardForward or symba" },
        { "algorithm: sf", "algorithm: sf\n  threshold: 2", 11, "forwardForward.threshold", "a threshold that nothing uses" },
        { "algorithm: sf", "algorithm: ffVn\n  alpha: 2", 11, "forwardForward.alpha", "a number that nothing uses" },
        { "algorithm: sf", "algorithm: ffVn\n  temperature: 2", 11, "forwardForward.temperature", "this key with forwardForward.algorithm sf or sfTopToInput or sfTopToLoss" },
        { "algorithm: sf", "algorithm: sf\n  order: together", 11, "forwardForward.order", "this key with forwardForward.algorithm sfTopToInput or sfTopToLoss" },
        { "algorithm: sf", "algorithm: sfTopToInput\n  predictionSteps: 2", 8, "forwardForward.predictionFrom", "found 3, after the last of 2 steps" },
    };

    public static TheoryData<string, string, int, string, string> InPhysical => new()
    {
        { "{kind: physical, box: {kind: quantised}}", "{kind: mlp}", 3, "model.kind", "found \"mlp\" with forwardForward.kind physical, allowed: physical" },
        { "box: {kind: quantised}", "width: 3", 3, "model.box", "found no such key, allowed: a mapping with the key kind, one of smooth, quantised, table, device" },
        { "{kind: quantised}", "{kind: device}", 3, "model.box.address", "found no such key" },
        { "{kind: quantised}", "{kind: quantised, deadlineMs: 3}", 3, "model.box.deadlineMs", "an unknown key" },
        { "{kind: quantised}", "{kind: smooth, noise: -1}", 3, "model.box.noise", "at least 0" },
        { "{kind: vowels}", "{kind: vowels, fold: 5}", 4, "data.fold", "at least 0 and at most 4" },
        { "{kind: vowels}", "{kind: text, files: [a]}", 4, "data.kind", "found \"text\" with model.kind physical" },
        { "epochs: 2\n", "", 1, "epochs", "neither epochs nor rounds" },
    };

    [Theory, InlineData(Dense), InlineData(Graph), InlineData(Physical)]
    public void The_samples_are_valid_and_read_back(string sample)
    {
        var spec = SpecSamples.Read(sample);
        Assert.Equal(spec, SpecReader.Read(SpecText.Write(spec), "written.yaml").Require());
    }

    [Theory, MemberData(nameof(InDense))]
    public void A_mistake_in_a_dense_job_is_one_problem(string written, string instead, int line, string key, string part) => ExpectOne(Dense, written, instead, line, key, part);

    [Theory, MemberData(nameof(InGraph))]
    public void A_mistake_in_a_graph_job_is_one_problem(string written, string instead, int line, string key, string part) => ExpectOne(Graph, written, instead, line, key, part);

    [Theory, MemberData(nameof(InPhysical))]
    public void A_mistake_in_a_physical_job_is_one_problem(string written, string instead, int line, string key, string part) => ExpectOne(Physical, written, instead, line, key, part);

    [Theory]
    [InlineData("forwardForward.negatives=hardLabel")]
    [InlineData("forwardForward.threshold=3")]
    [InlineData("forwardForward.peer=0.03")]
    [InlineData("forwardForward.label=prepend")]
    public void Every_choice_is_part_of_the_answer(string change) => Assert.NotEqual(SpecHash.Of(SpecSamples.Read(Dense)), SpecHash.Of(SpecSamples.Read(Dense, change)));

    private static void ExpectOne(string sample, string written, string instead, int line, string key, string part)
    {
        Assert.Contains(written, sample, StringComparison.Ordinal);
        var problem = Assert.Single(SpecReader.Read(sample.Replace(written, instead, StringComparison.Ordinal), "spec.yaml").Problems);
        Assert.Equal((line, key), (problem.Line, problem.Key));
        Assert.Contains(part, problem.ToString(), StringComparison.Ordinal);
    }
}
