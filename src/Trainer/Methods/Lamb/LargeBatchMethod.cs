using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.Schedules;
using Cluster.Trainer.Core.State;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.Lamb;

/// <summary>
/// Synchronous data-parallel training with a large global batch: You et al., "Large Batch Optimization for Deep Learning:
/// Training BERT in 76 minutes" (ICLR 2020).
/// </summary>
/// <remarks>
/// <code>
/// round k:   S_k      the next B samples of the stream                    leaves: consecutive micro-batches of S_k
///            g_k      = 1/W · Σ_leaf Σ_{s in leaf} ∇ℓ(x_k, s)             W = Σ_leaf weight, known only after the sum
///            x_{k+1}  = step(x_k, g_k, η_k)                               LAMB, LARS, AdamW or SGD
/// </code>
/// A leaf contributes the <em>sum</em> of its samples' gradients; the division by the true weight W (samples, or predicted
/// tokens) happens once, after the canonical sum. LAMB would hide a wrong divisor, so the mean gradient is itself tested.
/// Gradient accumulation is no feature of its own: a worker with many leaves accumulates.
/// </remarks>
internal sealed class LargeBatchMethod : IRoundMethod
{
    /// <summary>Weight of a round's batch statistics in the running ones (PyTorch's momentum of batch normalisation).</summary>
    private const double StatisticMomentum = 0.1;

    private const string Updates = "updates";

    private readonly JobSpec _spec;
    private readonly Device _device;
    private readonly FlatModel _model;
    private readonly IOptimizer _optimizer;
    private readonly Stage[] _stages;
    private readonly IDataSet _evaluation;

    public LargeBatchMethod(JobSpec spec, IReadOnlyList<string> dataRoots, Device device)
    {
        (_spec, _device) = (spec, device);
        var masked = spec.Model is ModelSpec.Bert;
        var training = Stages.Of(spec).Select(stage => stage.Sequence).Distinct()
            .ToDictionary(sequence => sequence ?? 0, sequence => DataSets.Open(spec.Data!, dataRoots, DataSplit.Train, sequence, masked));
        _stages = [.. StagePlan.Of(spec, stage => training[stage.Sequence ?? 0].Count).Select(plan => new Stage(plan, training[plan.Sequence ?? 0], spec.Seed))];
        _evaluation = DataSets.Open(spec.Data!, dataRoots, DataSplit.Evaluation, _stages[^1].Plan.Sequence, masked);

        var network = ModelCatalog.Create(spec.Model, _evaluation.InputShape, _evaluation.Classes, spec.Seed, device);
        _model = new FlatModel(network, spec.Precision, device);
        _optimizer = OptimizerFactory.Create(spec.Optimizer, _model.Layout, device, spec.Threads);

        Rounds = _stages.Sum(stage => stage.Plan.Rounds);
        EvaluationLeaves = Cut(Math.Min(_evaluation.Count, spec.Evaluate.Samples ?? long.MaxValue), EvaluationLeafSize);
        State = new MethodState(
            _model.Layout,
            [("theta", _model.Theta), .. _optimizer.Moments],
            new SortedDictionary<string, long>(StringComparer.Ordinal) { [Updates] = 0 });
    }

    private const int EvaluationLeafSize = 256;

    public long Rounds { get; }

    public long ContributionLength => _model.Layout.Length;

    public IReadOnlyList<Leaf> EvaluationLeaves { get; }

    public MethodState State { get; }

    public IReadOnlyList<Leaf> Leaves(long round)
    {
        var plan = StageOf(round).Plan;
        var inStage = round - plan.FirstRound;
        return Cut(plan.SamplesOf(inStage), plan.Leaf, inStage * plan.Batch);
    }

    public Tally Contribute(long round, Leaf leaf, FlatBuffer into)
    {
        // Masks are a function of (round, sample): new in every epoch, the same however the round is cut into leaves.
        var masking = Seeds.Derive(_spec.Seed, SeedPurpose.Masking, round);
        using var batch = StageOf(round).Gather(leaf, masking, _device);
        var tally = _model.TrainLeaf(batch, Seeds.Derive(_spec.Seed, SeedPurpose.Leaf, round, leaf.Index), into);
        if (_spec.Clip is { Point: ClipPoint.Leaf } clip)
        {
            ScaleGradient(into, FlatNorm.ClipFactor(GradientNorm(into, 1 / tally.Weight), clip.Norm));
        }

        return tally;
    }

    public RoundResult Update(long round, FlatBuffer sum, in Tally tally)
    {
        var plan = StageOf(round).Plan;
        var eta = Schedule.Rate(round - plan.FirstRound, plan.WarmupRounds, plan.Rounds, plan.PeakLr, plan.Schedule);

        var scale = 1 / tally.Weight;
        var norm = GradientNorm(sum, scale);
        if (!double.IsFinite(norm)) { return new RoundResult(eta, norm, "the gradient is not finite"); }

        if (_spec.Clip is { Point: ClipPoint.Round } clip) { scale *= FlatNorm.ClipFactor(norm, clip.Norm); }

        if (round == plan.FirstRound && plan.Moments == MomentPolicy.Reset) { ResetMoments(); }

        var t = ++State.Counters[Updates];
        AverageStatistics(sum, tally.Leaves, t);
        _optimizer.Step(_model.Theta, sum, scale, eta, t);
        return new RoundResult(eta, norm);
    }

    public Tally Evaluate(Leaf leaf)
    {
        var samples = new long[leaf.Count];
        for (var i = 0; i < samples.Length; i++) { samples[i] = leaf.First + i; }
        using var batch = _evaluation.Gather(samples, Seeds.Derive(_spec.Seed, SeedPurpose.Masking, -1), _device);
        return _model.EvaluateLeaf(batch);
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _model.Dispose();
    }

    private double GradientNorm(FlatBuffer gradient, double scale) =>
        Math.Sqrt(FlatNorm.SumOfSquares(gradient, _model.Layout.ParameterLength, _spec.Threads)) * scale;

    private void ScaleGradient(FlatBuffer gradient, double factor)
    {
        if (factor == 1) { return; }
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        gradient.Tensor.narrow(0, 0, _model.Layout.ParameterLength).mul_(factor);
    }

    /// <summary>
    /// running ← (1-μ)·running + μ·mean over leaves, with μ = max(0.1, 1/t): a plain mean at first, so that a run of few
    /// large batches does not evaluate with what is left of the initial values.
    /// </summary>
    private void AverageStatistics(FlatBuffer sum, double leaves, long t)
    {
        var layout = _model.Layout;
        if (layout.Statistics.IsEmpty) { return; }
        var momentum = Math.Max(StatisticMomentum, 1.0 / t);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var running = _model.Theta.Tensor.narrow(0, layout.ParameterLength, layout.Length - layout.ParameterLength);
        var ofRound = sum.Tensor.narrow(0, layout.ParameterLength, layout.Length - layout.ParameterLength);
        running.mul_(1 - momentum).add_(ofRound, alpha: momentum / leaves);
    }

    private void ResetMoments()
    {
        foreach (var (_, moment) in _optimizer.Moments) { moment.Clear(); }
        State.Counters[Updates] = 0;
    }

    /// <summary>Consecutive leaves of at most <paramref name="size"/> samples; the last may be smaller.</summary>
    private static Leaf[] Cut(long samples, int size, long first = 0)
    {
        var leaves = new Leaf[(samples + size - 1) / size];
        for (var i = 0; i < leaves.Length; i++)
        {
            var offset = (long)i * size;
            leaves[i] = new Leaf(i, first + offset, (int)Math.Min(size, samples - offset));
        }

        return leaves;
    }

    private Stage StageOf(long round) => _stages.Last(stage => stage.Plan.FirstRound <= round);

    /// <summary>One stage: its numbers, and its samples in the order of its stream.</summary>
    private sealed class Stage(StagePlan plan, IDataSet samples, long seed)
    {
        private readonly SampleStream _stream = new(seed, samples.Count);

        public StagePlan Plan => plan;

        /// <param name="leaf">Of a round; its first sample counts from the beginning of the stage.</param>
        public Batch Gather(Leaf leaf, ulong masking, Device device)
        {
            var numbers = new long[leaf.Count];
            _stream.Fill(leaf.First, numbers);
            return samples.Gather(numbers, masking, device);
        }
    }
}
