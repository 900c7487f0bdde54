using Cluster.Contracts.Schedules;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.Optimizers;
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
    private readonly JobSpec _spec;
    private readonly Device _device;
    private readonly FlatModel _model;
    private readonly IOptimizer _optimizer;
    private readonly GradientStep _step;
    private readonly StagedRounds _rounds;
    private readonly Dictionary<int, IDataSet> _training; // By sequence length, 0 for images.
    private readonly IDataSet _evaluation;

    public LargeBatchMethod(JobSpec spec, IReadOnlyList<string> dataRoots, Device device)
    {
        (_spec, _device) = (spec, device);
        var data = spec.Data ?? throw new ArgumentException("the spec was not checked: it has no data", nameof(spec));
        _training = Stages.Of(spec).Select(stage => stage.Sequence).Distinct()
            .ToDictionary(sequence => sequence ?? 0, sequence => DataSets.OpenFor(spec.Model, data, dataRoots, DataSplit.Train, sequence));
        _rounds = new StagedRounds(spec, stage => _training[stage.Sequence ?? 0].Count);
        _evaluation = DataSets.OpenFor(spec.Model, data, dataRoots, DataSplit.Evaluation, _rounds.StageOf(_rounds.Count).Sequence);

        var network = ModelCatalog.Create(spec.Model, _evaluation.InputShape, _evaluation.Classes, spec.Seed, device, dataRoots);
        _model = new FlatModel(network, spec.Precision, device);
        _optimizer = OptimizerFactory.Create(spec.Optimizer, _model.Layout, device, spec.Threads);

        EvaluationSets = [EvaluationSet.Of("", _evaluation.Count, spec.Evaluate.Samples)];
        State = new MethodState(
            _model.Layout,
            [("theta", _model.Theta), .. _optimizer.Moments],
            new SortedDictionary<string, long>(StringComparer.Ordinal) { [GradientStep.Updates] = 0 });
        _step = new GradientStep(spec, _model, _optimizer, State.Counters);
    }

    public long Rounds => _rounds.Count;

    public long ContributionLength => _model.Layout.Length;

    public IReadOnlyList<EvaluationSet> EvaluationSets { get; }

    public MethodState State { get; }

    public IReadOnlyList<Leaf> Leaves(long round) => _rounds.Leaves(round);

    public bool ContributesFromTheEnd => true;

    public Tally Contribute(long round, Leaf leaf, FlatBuffer into) => Contribute(round, leaf, into, finished: null);

    public Tally Contribute(long round, Leaf leaf, FlatBuffer into, Action<long>? finished)
    {
        // Masks are a function of (round, sample): new in every epoch, the same however the round is cut into leaves.
        var masking = Seeds.Derive(_spec.Seed, SeedPurpose.Masking, round);
        using var batch = _training[_rounds.StageOf(round).Sequence ?? 0].Gather(_rounds.Samples(round, leaf), masking, _device);
        return _step.Contribute(batch, Seeds.Derive(_spec.Seed, SeedPurpose.Leaf, round, leaf.Index), into, finished);
    }

    public RoundResult Update(long round, FlatBuffer sum, in Tally tally)
    {
        var stage = _rounds.StageOf(round);
        return _step.Update(round + 1, sum, tally, Schedule.Rate(stage, round), stage.ResetsMoments(round));
    }

    public Tally Evaluate(EvaluationSet set, Leaf leaf)
    {
        using var batch = _evaluation.GatherRun(leaf.First, leaf.Count, Seeds.Derive(_spec.Seed, SeedPurpose.Masking, -1), _device);
        return _model.EvaluateLeaf(batch);
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _model.Dispose();
    }
}
