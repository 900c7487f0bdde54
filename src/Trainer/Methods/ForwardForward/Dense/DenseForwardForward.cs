using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.Schedules;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Dense;

/// <summary>
/// Forward-forward learning of fully connected layers, all of them in every round: G. Hinton, "The Forward-Forward Algorithm: Some
/// Preliminary Investigations" (2022), arXiv:2212.13345.
/// </summary>
/// <remarks>
/// <code>
/// round k:   x⁺, x⁻   the next B samples of the stream, each with a negative of its own     leaves: consecutive pieces of them
///            for each layer l, from the bottom up, with the weights before the round:
///              y_l = relu(x̂_l W_lᵀ + b_l)      g = Σ_j y²        x̂_{l+1} = y_l / √(mean y²)
///              L_l = 1/B Σ_s ½ [ softplus(θ - g_s⁺) + softplus(g_s⁻ - θ) ]
///            then W_l ← step(W_l, ∂L_l/∂W_l) for all l                                       SGD, Adam or AdamW
/// </code>
/// The half makes it the mean over the joined batch, as in Hinton's code; SymBa's loss is of pairs and has none. A leaf contributes sums
/// over its samples, the layers' gradients side by side in the layout of θ. Where there is a read-out it learns on the side from a
/// pass with a neutral label (Hinton 2022, section 3.3).
/// Memory: two activities of a leaf at a time, whatever the depth; a read-out adds those that it reads.
/// </remarks>
internal sealed class DenseForwardForward : IRoundMethod
{
    private const string Updates = "updates";

    private readonly JobSpec _job;
    private readonly ForwardForwardSpec.Dense _spec;
    private readonly Device _device;
    private readonly Contrasts _contrast;
    private readonly IDataSet _training;
    private readonly IDataSet _evaluation;
    private readonly StagedRounds _rounds;
    private readonly LabelInput? _label; // Null without supervision.
    private readonly DenseNet _net;
    private readonly FlatBuffer _theta;
    private readonly IElementwiseOptimizer _optimizer;
    private readonly Part[] _parts;      // Of the layers.
    private readonly Part? _readOutPart; // Null where there is no read-out.

    public DenseForwardForward(JobSpec job, ForwardForwardSpec.Dense spec, IReadOnlyList<string> dataRoots, Device device)
    {
        (_job, _spec, _device) = (job, spec, device);
        var data = job.Data ?? throw new ArgumentException("the spec was not checked: it has no data", nameof(job));
        _training = DataSets.Open(data, dataRoots, DataSplit.Train, pixels: PixelRange.Unit);
        _evaluation = DataSets.Open(data, dataRoots, DataSplit.Evaluation, pixels: PixelRange.Unit);
        _rounds = new StagedRounds(job, _training.Count);

        var inputs = _training.InputShape.Aggregate(1L, (product, extent) => product * extent);
        _label = spec.Negatives == NegativeData.Hybrid ? null : new LabelInput(_training.Classes, spec.Label, spec.LabelValue);
        if (_label is not null && spec.Label == LabelPlace.Overwrite && inputs <= _training.Classes)
        {
            throw new BadInputException($"forwardForward.label: {_training.Classes} classes written over {inputs} inputs leave nothing of a sample; use label: prepend");
        }

        var reads = spec.Negatives != NegativeData.RandomLabel || spec.Prediction == DensePrediction.OnePass;
        _net = new DenseNet(_label?.Width(inputs) ?? inputs, [.. ((ModelSpec.Mlp)job.Model).Hidden], reads ? _training.Classes : 0, spec.Peer > 0);
        _contrast = new Contrasts(_net, spec);
        _theta = new FlatBuffer(_net.Layout.Length, device);
        _net.Initialise(_theta, job.Seed);
        _optimizer = OptimizerFactory.CreateElementwise(job.Optimizer, _net.Layout, device, job.Threads);
        _parts = [.. Enumerable.Range(0, _net.Count).Select(l => Part.Named(_net.Layout, DenseNet.Prefix(l)))];
        _readOutPart = reads ? Part.Named(_net.Layout, "readOut.", (spec.ReadOut ?? new ReadOutSpec()).WeightDecay) : null;

        EvaluationSets = [EvaluationSet.Of("", _evaluation.Count, job.Evaluate.Samples)];
        State = new MethodState(
            _net.Layout, [("theta", _theta), .. _optimizer.Moments], new SortedDictionary<string, long>(StringComparer.Ordinal) { [Updates] = 0 });
    }

    public long Rounds => _rounds.Count;

    public long ContributionLength => _net.Contribution.Length;

    public IReadOnlyList<EvaluationSet> EvaluationSets { get; }

    public MethodState State { get; }

    public IReadOnlyList<Leaf> Leaves(long round) => _rounds.Leaves(round);

    public Tally Contribute(long round, Leaf leaf, FlatBuffer into)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        into.Clear();
        var samples = _training.Gather(_rounds.Samples(leaf), seed: 0, _device);
        var x = samples.Inputs.flatten(1); // [n, features]

        var (probabilities, correct) = _readOutPart is null ? (null, null) : LearnReadOut(x, samples.Targets, into);
        var (positive, negative) = _label is null
            ? (x, Hybrids(round, leaf, samples.Inputs).flatten(1))
            : Labelled(round, leaf, x, samples.Targets, probabilities);
        var ranked = LearnLayers(positive, negative, into);

        return new Tally(leaf.Count, leaf.Count, _net.Records(into).select(1, 2).Total(), correct ?? ranked, Leaves: 1);
    }

    public RoundResult Update(long round, FlatBuffer sum, in Tally tally)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var stage = _rounds.StageOf(round);
        var eta = Schedule.Rate(round - stage.FirstRound, stage.WarmupRounds, stage.Rounds, stage.PeakLr, stage.Schedule);
        if (!double.IsFinite(FlatNorm.SumOfSquares(sum, ContributionLength, _job.Threads))) { return new RoundResult(eta, double.NaN, "the gradient is not finite"); }

        var norm = Math.Sqrt(FlatNorm.SumOfSquares(sum, _net.Layout.ParameterLength, _job.Threads)) / tally.Weight;
        if (round == stage.FirstRound && stage.Moments == MomentPolicy.Reset) { ResetMoments(); }

        var t = ++State.Counters[Updates];
        for (var l = 0; l < _net.Count; l++)
        {
            if (_spec.Peer > 0) { PeerNormalisation.Add(_net.Activity(_theta, l), _net.Activity(sum, l), _net.Inputs(sum, l), tally.Weight, _spec.Peer, _net.Layer(sum, l)); }
            Step(_parts[l], sum, tally.Weight, eta, t);
        }

        if (_readOutPart is { } part) { Step(part, sum, tally.Weight, eta * (_spec.ReadOut ?? new ReadOutSpec()).RateFactor, t); }
        return new RoundResult(eta, norm) { Values = LayerRecords.Values(RecordsOf(sum, tally.Weight)) };
    }

    public Tally Evaluate(EvaluationSet set, Leaf leaf)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var samples = _evaluation.GatherRun(leaf.First, leaf.Count, seed: 0, _device);
        var scores = Scores(samples.Inputs.flatten(1)); // [n, K]
        var loss = nn.functional.cross_entropy(scores.to(ScalarType.Float64), samples.Targets, reduction: nn.Reduction.Sum);
        return new Tally(leaf.Count, leaf.Count, loss.Total(), scores.argmax(1).eq(samples.Targets).Total(), Leaves: 1);
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _theta.Dispose();
    }

    /// <summary>All layers from the bottom up: each adds the gradient of its own loss, its record, and for peers its sums.</summary>
    /// <param name="positive">x⁺, [n, d].</param>
    /// <param name="negative">x⁻, [n, d].</param>
    /// <returns>How many samples have more goodness than their negative, over the layers that vote.</returns>
    private double LearnLayers(Tensor positive, Tensor negative, FlatBuffer into)
    {
        var n = positive.shape[0];
        var x = RowNorm.Rms(cat([positive, negative])); // x̂ of the layer, [2n, d]
        var lead = zeros(n, device: _device);           // Σ g⁺ - g⁻
        for (var l = 0; l < _net.Count; l++)
        {
            using var layerScope = NewDisposeScope();
            var y = _net.Layer(_theta, l).Forward(x);           // [2n, u]
            var g = Goodness.Of(y, _spec.Goodness).view(2, n);
            var (losses, byPositive, byNegative) = _contrast.Of(l, g[0], g.narrow(0, 1, 1));
            _net.Layer(into, l).AddGradient(x, y, cat([byPositive, byNegative[0]]), _spec.Goodness);

            _net.Records(into)[l].copy_(stack([g[0].sum(), g[1].sum(), losses.sum(), _contrast.Right(l, g[0], g.narrow(0, 1, 1)).sum()]));
            if (_spec.Peer > 0)
            {
                _net.Activity(into, l).copy_(y.narrow(0, 0, n).sum([0L]));
                _net.Inputs(into, l).copy_(x.narrow(0, 0, n).sum([0L]));
            }

            if (Votes(l)) { lead.Add(g[0] - g[1]); }
            x = Above(x, y);
        }

        return lead.Above(0).Total();
    }

    /// <summary>The read-out learns from the neutral input, which without supervision is the sample itself.</summary>
    /// <returns>Probabilities [n, K], and how many samples it gets right.</returns>
    private (Tensor? Probabilities, double? Correct) LearnReadOut(Tensor x, Tensor classes, FlatBuffer into)
    {
        var activities = Activities(x);
        var probabilities = _net.ReadOut(_theta).Logits(activities).softmax(1);
        _net.ReadOut(into).AddGradient(activities, probabilities, classes);
        return (probabilities, probabilities.argmax(1).eq(classes).Total());
    }

    /// <summary>What the read-out sees of samples without their label, [n, Σ u].</summary>
    private Tensor Activities(Tensor x)
    {
        var read = new List<Tensor>();
        x = RowNorm.Rms(_label?.Neutral(x) ?? x);
        for (var l = 0; l < _net.Count; l++)
        {
            using var layerScope = NewDisposeScope();
            x = RowNorm.Rms(_net.Layer(_theta, l).Forward(x)).MoveToOuterDisposeScope();
            if (_net.Read.Contains(l)) { read.Add(x); }
        }

        return cat(read, 1);
    }

    /// <summary>What the layer above is given, out of the layer's scope; what this one was given is needed no more.</summary>
    /// <param name="x">x̂ of this layer.</param>
    private static Tensor Above(Tensor x, Tensor y)
    {
        var above = RowNorm.Rms(y).MoveToOuterDisposeScope();
        x.Dispose();
        return above;
    }

    private (Tensor Positive, Tensor Negative) Labelled(long round, Leaf leaf, Tensor x, Tensor classes, Tensor? probabilities)
    {
        using var onHost = classes.cpu();
        var right = TensorMemory.Elements<long>(onHost);
        var wrong = _spec.Negatives == NegativeData.HardLabel
            ? WrongLabels.Hard(_job.Seed, round, leaf, right, _training.Classes, TensorMemory.Elements<float>(probabilities!.cpu().contiguous()))
            : WrongLabels.Random(_job.Seed, round, leaf, right, _training.Classes);
        return (_label!.With(x, right), _label.With(x, wrong));
    }

    private Tensor Hybrids(long round, Leaf leaf, Tensor images)
    {
        var partners = _training.Gather(HybridImages.Partners(_job.Seed, round, leaf, _training.Count), seed: 0, _device).Inputs;
        var noise = HybridImages.Noise(_job.Seed, round, leaf, images.shape[^2], images.shape[^1]).to(_device);
        return HybridImages.Join(HybridImages.Mask(noise, _spec.BlurSteps).unsqueeze(1), images, partners);
    }

    /// <summary>The larger, the likelier: [n, K].</summary>
    private Tensor Scores(Tensor x)
    {
        if (_spec.Prediction == DensePrediction.OnePass) { return _net.ReadOut(_theta).Logits(Activities(x)); }
        return stack([.. Enumerable.Range(0, _training.Classes).Select(label => GoodnessWith(x, label))], 1);
    }

    /// <summary>Σ_l g_l of the samples with one and the same label, [n].</summary>
    private Tensor GoodnessWith(Tensor samples, int label)
    {
        using var scope = NewDisposeScope();
        var x = RowNorm.Rms(_label!.WithEach(samples, label));
        var total = zeros(x.shape[0], device: _device);
        for (var l = 0; l < _net.Count; l++)
        {
            using var layerScope = NewDisposeScope();
            var y = _net.Layer(_theta, l).Forward(x);
            if (Votes(l)) { total.Add(Goodness.Of(y, _spec.Goodness)); }
            x = Above(x, y);
        }

        return total.MoveToOuterDisposeScope();
    }

    private bool Votes(int layer) => _spec.FirstLayerVotes || _net.Read.Contains(layer);

    /// <summary>One layer's, or the read-out's, step with its mean gradient; a limit on the norm is a limit on its own.</summary>
    private void Step(in Part part, FlatBuffer sum, double weight, double learningRate, long t)
    {
        var scale = 1 / weight;
        if (_job.Clip is { } clip) { scale *= FlatNorm.ClipFactor(Math.Sqrt(FlatNorm.SumOfSquares(sum, part)) * scale, clip.Norm); }
        _optimizer.Step(part, _theta, sum, scale, learningRate, t);
    }

    private IEnumerable<LayerRecord> RecordsOf(FlatBuffer sum, double samples)
    {
        using var records = _net.Records(sum).cpu();
        var values = TensorMemory.Elements<float>(records).ToArray();
        return values.Chunk(DenseNet.RecordLength).Select(record => new LayerRecord(record[0] / samples, record[1] / samples, record[2] / samples, record[3] / samples));
    }

    private void ResetMoments()
    {
        foreach (var (_, moment) in _optimizer.Moments) { moment.Clear(); }
        State.Counters[Updates] = 0;
    }
}
