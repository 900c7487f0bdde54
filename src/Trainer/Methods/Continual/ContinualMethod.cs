using Cluster.Contracts.Lineage;
using Cluster.Contracts.Schedules;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.Continual;

/// <summary>
/// Continual pre-training: "Beyond Cosine Decay: On the effectiveness of Infinite Learning Rate Schedule for Continual
/// Pre-training", CoLLAs 2025, arXiv:2503.02844, section 3.
/// </summary>
/// <remarks>
/// <code>
///   trunk      update n of stage k     batch = mixture_k at the stage's next place      η = schedule(n)       x ← step(x, g, η)
///   branch     fork at n               the trunk's x, moments and t are set aside
///              update j = 1 .. t_a     batch = the release's mixture                    η = F·(m/F)^(j/t_a)   F = schedule(n)
///              return                  the trunk's take their place again
/// </code>
/// A branch may also be a job of its own: it begins with the trunk's state at the fork, from a checkpoint, and ends with update t_a.
/// No chance of the trunk (order of samples, dropout, masks) depends on the job's rounds, only on n: whether a release was taken
/// before, and how many, changes no bit of it. Updates are numbered from 1.
/// </remarks>
internal sealed class ContinualMethod : IRoundMethod
{
    /// <summary>Counter: the newest stage whose beginning was applied to the moments.</summary>
    private const string Stage = "stage";

    private readonly JobSpec _spec;
    private readonly Device _device;
    private readonly ContinualPlan _plan;
    private readonly IReadOnlyList<StageData> _data;
    private ContinualStream _stream; // Up to date with the state only through Stream.
    private readonly ContinualLineage _lineage;
    private readonly ContinualRates _rates;
    private readonly int _batch;
    private readonly int _leaf;
    private readonly FlatModel _model;
    private readonly IOptimizer _optimizer;
    private readonly GradientStep _step;
    private readonly TrunkCopy? _trunk;
    private readonly DriftDetector? _drift;

    public ContinualMethod(JobSpec spec, IReadOnlyList<string> dataRoots, Device device)
    {
        (_spec, _device) = (spec, device);
        var continual = spec.Continual ?? throw new ArgumentException("the spec was not checked: it is no continual job", nameof(spec));
        (_batch, _leaf) = (spec.Batch!.Value, spec.Leaf ?? Math.Min(spec.Batch.Value, Stages.DefaultLeaf)); // Checked.
        _plan = ContinualPlan.Of(continual);
        _rates = new ContinualRates(continual, _plan);
        _data = StageData.OpenAll(spec, dataRoots);
        _stream = StreamRaisedAfter(0);

        var first = _data[0].Training;
        _lineage = new ContinualLineage(_plan, continual, (long)_batch * (continual.Stages[0].Data.IsText ? first.InputShape[0] : 1));
        _model = new FlatModel(ModelCatalog.Create(spec.Model, first.InputShape, first.Classes, spec.Seed, device, dataRoots), spec.Precision, device);
        if (continual is { Start: { } start, BranchOf: null }) { TrunkStart.Load(start, dataRoots, _model); }
        _optimizer = OptimizerFactory.Create(spec.Optimizer, _model.Layout, device, spec.Threads);

        EvaluationSets = [.. _data.Select(stage => EvaluationSet.Of(stage.Name, stage.Evaluation.Count, spec.Evaluate.Samples))];
        (string, FlatBuffer)[] live = [("theta", _model.Theta), .. _optimizer.Moments];
        var counters = new SortedDictionary<string, long>(StringComparer.Ordinal) { [GradientStep.Updates] = 0, [Stage] = 0 };
        if (_plan.BranchOf is null && _plan.Segments.Any(segment => segment.Kind == SegmentKind.Branch))
        {
            _trunk = new TrunkCopy(live, device);
            counters[TrunkCopy.Counter] = 0;
        }

        if (continual.Drift is { } drift) { _drift = new DriftDetector(drift, counters); }
        State = new MethodState(_model.Layout, [.. live, .. _trunk?.Buffers ?? []], counters) { Optional = TrunkCopy.Prefix }; // The first release may be ordered late.
        if (_plan.BranchOf is { } fork) { TrunkFork.Load(continual.BranchOf!, fork, dataRoots, State); }
        _step = new GradientStep(spec, _model, _optimizer, counters);
    }

    /// <summary>A function of the spec and of when replay was raised, which is in the state that may have been loaded since.</summary>
    private ContinualStream Stream => _drift?.RaisedAfter is { } raised && raised != _stream.RaisedAfter ? _stream = StreamRaisedAfter(raised) : _stream;

    private ContinualStream StreamRaisedAfter(long update) => new(_plan, _spec.Continual!, _batch, _spec.Seed, [.. _data.Select(stage => stage.Training.Count)], update);

    public long Rounds => _plan.Rounds;

    public long ContributionLength => _model.Layout.Length;

    public IReadOnlyList<EvaluationSet> EvaluationSets { get; }

    public MethodState State { get; }

    public IReadOnlyList<Leaf> Leaves(long round)
    {
        var at = Moment.At(_plan, round);
        return at.IsUpdate ? Leaf.Cut(_batch, _leaf) : [];
    }

    public bool ContributesFromTheEnd => true;

    public Tally Contribute(long round, Leaf leaf, FlatBuffer into) => Contribute(round, leaf, into, finished: null);

    public Tally Contribute(long round, Leaf leaf, FlatBuffer into, Action<long>? finished)
    {
        var at = Moment.At(_plan, round);
        var masking = at.Chance(_spec.Seed, SeedPurpose.Masking);
        var parts = Stream.Take(at.Segment, at.BatchIndex, (int)leaf.First, leaf.Count);
        using var batch = Batch.Join([.. parts.Select(part => _data[part.Stage].Training.Gather(part.Samples, masking, _device))]);
        return _step.Contribute(batch, at.Chance(_spec.Seed, SeedPurpose.Leaf, leaf.Index), into, finished);
    }

    public RoundResult Update(long round, FlatBuffer sum, in Tally tally)
    {
        var at = Moment.At(_plan, round);
        return at switch
        {
            { IsFork: true } => Fork(at.Segment),
            { IsReturn: true } => Return(at.Segment),
            { Segment.Release: { } release } => Anneal(release, at, round + 1, sum, tally),
            _ => Watched(Train(at, round + 1, sum, tally), at, round + 1, tally),
        };
    }

    /// <summary>η = schedule(n).</summary>
    private RoundResult Train(Moment at, long rounds, FlatBuffer sum, in Tally tally)
    {
        var begins = State.Counters[Stage] < at.Segment.Stage; // Also where the stage's first updates were skipped.
        var reset = begins && _spec.Continual!.Stages[at.Segment.Stage].Moments == BoundaryMoments.Reset;
        var result = _step.Update(rounds, sum, tally, _rates.Trunk(at.Update), reset);
        if (result.Skipped is null) { State.Counters[Stage] = at.Segment.Stage; }
        return result;
    }

    /// <summary>The result with what the detector says of the batch. All ranks have the same sum of losses, so the same detector.</summary>
    /// <param name="rounds">Committed with this one.</param>
    private RoundResult Watched(RoundResult result, Moment at, long rounds, in Tally tally)
    {
        if (_drift is null || result.Skipped is not null) { return result; }
        var (statistic, drift) = _drift.See(tally.MeanLoss, at.Update, rounds);
        return result with
        {
            Values = result.Values.SetItem(DriftDetector.Metric, statistic),
            Notices = drift ? [.. result.Notices, _drift.InWords(statistic, at.Update, _plan.Stages[at.Segment.Stage].Name)] : result.Notices,
        };
    }

    /// <summary>η = F·(m/F)^(j/t_a), or another tail, with F = schedule(n) at the fork.</summary>
    private RoundResult Anneal(Release release, Moment at, long rounds, FlatBuffer sum, in Tally tally)
    {
        var eta = _rates.Branch(release, at.Segment.Update, at.BranchUpdate);
        return _step.Update(rounds, sum, tally, eta, resetMoments: false);
    }

    private RoundResult Fork(PlanSegment branch)
    {
        _trunk?.Take(State.Counters); // A branch that is a job of its own has no trunk to come back to.
        return new RoundResult(_rates.Trunk(branch.Update), GradientNorm: 0);
    }

    /// <summary>The trunk takes its place again; where the next stage names this release, its weights stay instead.</summary>
    private RoundResult Return(PlanSegment branch)
    {
        var successor = _plan.SuccessorOf(branch, _spec.Continual!);
        _trunk!.PutBack(State.Counters, weights: successor is null, moments: successor is not { Moments: BoundaryMoments.Keep or BoundaryMoments.Reset });
        return new RoundResult(_rates.Trunk(branch.Update), GradientNorm: 0);
    }

    public bool IsEvaluatedAfter(long round) => (round == 0 && _plan.BranchOf is null) || NodeAfter(round) is { IsMilestone: true };

    /// <summary>A function of the plan; of the newest drift that is to be kept, also of the state.</summary>
    public LineageNode NodeAfter(long round) => _lineage.After(round) switch
    {
        { Kind: NodeKind.Trunk } node when _drift?.IsKeptAfter(round) == true => node with { Kind = NodeKind.Drift },
        var node => node,
    };

    public Tally Evaluate(EvaluationSet set, Leaf leaf)
    {
        var data = _data.First(stage => stage.Name == set.Name).Evaluation;
        using var batch = data.GatherRun(leaf.First, leaf.Count, Seeds.Derive(_spec.Seed, SeedPurpose.Masking, -1), _device);
        return _model.EvaluateLeaf(batch);
    }

    public void Dispose()
    {
        _trunk?.Dispose();
        _optimizer.Dispose();
        _model.Dispose();
    }
}
