namespace Cluster.Contracts.Spec;

/// <summary>
/// Rules of the method forwardForward: what its three kinds take of the keys that all methods share, and which of their own keys go
/// together. Like all rules between keys they stay silent about a key that is wrong by itself.
/// </summary>
internal sealed class ForwardForwardChecks
{
    private const string Section = "forwardForward";

    private readonly JobSpec _job;
    private readonly SpecReport _report;

    private ForwardForwardChecks(JobSpec job, SpecReport report) => (_job, _report) = (job, report);

    public static void All(JobSpec job, SpecReport report)
    {
        if (job.ForwardForward is null) { return; }

        var checks = new ForwardForwardChecks(job, report);
        checks.Shared();
        switch (job.ForwardForward)
        {
            case ForwardForwardSpec.Dense dense: checks.Dense(dense); break;
            case ForwardForwardSpec.Graph graph: checks.Graph(graph); break;
            case ForwardForwardSpec.Physical: checks.Physical(); break;
        }

        // A graph is one batch, and how long a layer learns on it is decided as it learns.
        if (job.ForwardForward is not ForwardForwardSpec.Graph) { StageChecks.All(job, report); }
    }

    /// <summary>Every layer steps by itself, so the rule must be one whose elements do not see those of other layers.</summary>
    private void Shared()
    {
        Refuse(_job.Optimizer.Kind is OptimizerKind.Lamb or OptimizerKind.Lars, "optimizer.kind", SpecNames.Of(_job.Optimizer.Kind), "sgd, adam or adamw");
        Refuse(_job.Precision != Precision.Float32, "precision", SpecNames.Of(_job.Precision), "float32");
        Refuse(_job.Clip?.Point == ClipPoint.Leaf, "clip.point", "leaf", "round: each layer's mean gradient is clipped by itself");
    }

    private void Dense(ForwardForwardSpec.Dense dense)
    {
        RequireModel(_job.Model is ModelSpec.Mlp, "mlp");
        if (_job.Model is ModelSpec.Mlp mlp)
        {
            Refuse(mlp.Dropout != 0, "model.dropout", FormattableString.Invariant($"{mlp.Dropout}"), "0");
            Refuse(mlp.Hidden.Count == 0, "model.hidden", "no layer", "at least one width: each layer learns by itself, and there is no output layer");
        }

        if (dense.Negatives == NegativeData.Hybrid)
        {
            Refuse(_job.Data is DataSpec.Vowels, "data.kind", "vowels with negatives of patched images", "digits, mnist, fashion-mnist or cifar10", $"{Section}.negatives");
            Refuse(dense.Prediction == DensePrediction.Goodness, $"{Section}.prediction", "goodness with negatives hybrid, whose layers see no label", "onePass", $"{Section}.negatives");
        }

        Refuse(
            dense is { Parallel: ParallelKind.Layers, Negatives: NegativeData.HardLabel }, $"{Section}.parallel",
            "layers with negatives hardLabel, which the read-out above all layers draws for the lowest", "data, or negatives randomLabel or hybrid", $"{Section}.negatives");
        var reads = dense.Prediction == DensePrediction.OnePass || dense.Negatives == NegativeData.HardLabel;
        Refuse(dense.ReadOut is not null && !reads, $"{Section}.readOut", "a read-out that nothing reads", "this key with prediction onePass or negatives hardLabel", $"{Section}.negatives", $"{Section}.prediction");
    }

    private void Graph(ForwardForwardSpec.Graph graph)
    {
        RequireModel(_job.Model is ModelSpec.Gcn or ModelSpec.Sage or ModelSpec.Gat, "gcn, sage or gat");
        WholeGraphRounds();
        var links = graph.Task == GraphTask.Links;
        var algorithm = SpecNames.Of(graph.Algorithm);
        Refuse(
            links && graph.Algorithm is not (GraphAlgorithm.Sf or GraphAlgorithm.SfTopToInput or GraphAlgorithm.BackPropagation),
            $"{Section}.algorithm", $"{algorithm} with task links", "sf, sfTopToInput or backPropagation", $"{Section}.task");
        Loss(graph, links, algorithm);
        Refuse(
            graph.PredictionFrom > graph.PredictionSteps, $"{Section}.predictionFrom", $"{graph.PredictionFrom}, after the last of {graph.PredictionSteps} steps",
            $"a whole number at most {graph.PredictionSteps}", $"{Section}.predictionSteps");
        if (_job.Data is DataSpec.Graph data)
        {
            Refuse(links && data.Split is not null, "data.split", "a split of the nodes with task links", "no such key: edges are split by the job's seed", $"{Section}.task");
            Refuse(!links && data.Split is null, "data.split", "no such key", "the name of a split in splits.json", $"{Section}.task");
        }
    }

    private void Loss(ForwardForwardSpec.Graph graph, bool links, string algorithm)
    {
        var contrastive = graph.Algorithm is GraphAlgorithm.FfLa or GraphAlgorithm.FfVn;
        Refuse(
            contrastive && graph.Loss == GraphLoss.CrossEntropy,
            $"{Section}.loss", $"crossEntropy with algorithm {algorithm}", "forwardForward or symba", $"{Section}.algorithm");
        Refuse(
            graph.Loss is not null && !contrastive && !(links && graph.Algorithm is GraphAlgorithm.Sf or GraphAlgorithm.SfTopToInput),
            $"{Section}.loss", $"a loss with algorithm {algorithm}{(links ? "" : " and task nodes")}, which has its own", "this key with ffLa, ffVn, or the links of sf and sfTopToInput",
            $"{Section}.algorithm", $"{Section}.task");

        var loss = graph.Loss ?? (contrastive ? GraphLoss.ForwardForward : GraphLoss.CrossEntropy);
        Refuse(graph.Threshold is not null && loss != GraphLoss.ForwardForward, $"{Section}.threshold", "a threshold that nothing uses", "this key with the loss forwardForward", $"{Section}.loss", $"{Section}.algorithm");
        Refuse(graph.Alpha is not null && loss != GraphLoss.Symba, $"{Section}.alpha", "a number that nothing uses", "this key with the loss symba", $"{Section}.loss");
    }

    /// <summary>A round of a graph job is one update of a layer on the whole graph; epochs are the most updates of one layer.</summary>
    private void WholeGraphRounds()
    {
        const string whole = "no such key: every round takes the whole graph";
        Refuse(_job.Batch is not null, "batch", "samples per round with a graph", whole);
        Refuse(_job.Sequence is not null, "sequence", "tokens per sample with a graph", "this key with data.kind text");
        Refuse(_job.Rounds is not null, "rounds", "a number of rounds with a graph", "epochs, the most updates of one layer");
        Refuse(_job.Stages.Count > 0, "stages", "stages with a graph", "no such key: the layers are its stages");
        Refuse(_job.Scaling is not null, "scaling", "a rate that goes with the batch, with a graph", "schedule.lr");
        Refuse(_job.Evaluate.Samples is not null, "evaluate.samples", "a part of the test with a graph", "no such key: all of it is evaluated at once");
        Refuse(_job is { Epochs: null, Rounds: null }, "epochs", "no such key", "the most updates of one layer");
        Refuse(_job.Epochs is { } epochs && epochs != Math.Floor(epochs), "epochs", "a part of an update", "a whole number");

        var schedule = _job.Schedule ?? new ScheduleSpec();
        Refuse(schedule.Lr is null, "schedule.lr", "no learning rate", "a number above 0");
        Refuse(schedule.Decay != DecayKind.Constant, "schedule.decay", SpecNames.Of(schedule.Decay), "constant: how long a layer learns is not known before");
        foreach (var (key, given) in ((string, bool)[])[("warmupRounds", schedule.WarmupRounds is not null), ("warmupEpochs", schedule.WarmupEpochs is not null), ("warmupShare", schedule.WarmupShare is not null)])
        {
            Refuse(given, $"schedule.{key}", "a warm-up with a graph", "no such key");
        }
    }

    private void Physical() => RequireModel(_job.Model is ModelSpec.Physical, "physical");

    private void RequireModel(bool fits, string allowed)
    {
        if (_job.Model is { } model)
        {
            Refuse(!fits, "model.kind", $"{Quote.Show(SpecNames.Of(model.GetType()))} with forwardForward.kind {SpecNames.Of(_job.ForwardForward!.GetType())}", allowed, $"{Section}.kind");
        }
    }

    private void Refuse(bool broken, string key, string found, string allowed, params ReadOnlySpan<string> others)
    {
        if (broken)
        {
            _report.Broken(key, found, allowed, others);
        }
    }
}
