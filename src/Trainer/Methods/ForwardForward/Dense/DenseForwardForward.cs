using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
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
///            all layers learn from them with the weights before the round, each by itself     DenseRun
///            then W_l ← step(W_l, ∂L_l/∂W_l) for all l                                        SGD, Adam or AdamW
/// </code>
/// A leaf contributes sums over its samples, the layers' gradients side by side in the layout of θ. Where there is a read-out it learns
/// on the side from a pass with a neutral label (Hinton 2022, section 3.3).
/// Memory: two activities of a leaf at a time, whatever the depth; a read-out adds those that it reads. Nothing goes down but hard
/// negatives, which are drawn by what the read-out says of the sample; without them the layers can be shared out.
/// </remarks>
internal sealed class DenseForwardForward : ILayerwiseMethod
{
    private readonly JobSpec _job;
    private readonly ForwardForwardSpec.Dense _spec;
    private readonly Device _device;
    private readonly IDataSet _training;
    private readonly IDataSet _evaluation;
    private readonly StagedRounds _rounds;
    private readonly LabelInput? _label; // Null without supervision.
    private readonly DenseRun _layers;   // All of them.

    public DenseForwardForward(JobSpec job, ForwardForwardSpec.Dense spec, IReadOnlyList<string> dataRoots, Device device)
    {
        (_job, _spec, _device) = (job, spec, device);
        var data = job.Data ?? throw new ArgumentException("the spec was not checked: it has no data", nameof(job));
        _training = DataSets.Open(data, dataRoots, DataSplit.Train, pixels: PixelRange.Unit);
        _evaluation = DataSets.Open(data, dataRoots, DataSplit.Evaluation, pixels: PixelRange.Unit);
        _rounds = new StagedRounds(job, _ => _training.Count);

        var inputs = _training.InputShape.Aggregate(1L, (product, extent) => product * extent);
        _label = spec.Negatives == NegativeData.Hybrid ? null : new LabelInput(_training.Classes, spec.Label, spec.LabelValue);
        if (_label is not null && spec.Label == LabelPlace.Overwrite && inputs <= _training.Classes)
        {
            throw new BadInputException($"forwardForward.label: {_training.Classes} classes written over {inputs} inputs leave nothing of a sample; use label: prepend");
        }

        var reads = spec.Negatives != NegativeData.RandomLabel || spec.Prediction == DensePrediction.OnePass;
        var net = new DenseNet(_label?.Width(inputs) ?? inputs, [.. ((ModelSpec.Mlp)job.Model).Hidden], reads ? _training.Classes : 0, spec.Peer > 0);
        _layers = Run(net);
        net.Initialise(_layers.Theta, job.Seed);
        EvaluationSets = [EvaluationSet.Of("", _evaluation.Count, job.Evaluate.Samples)];
    }

    public long Rounds => _rounds.Count;

    public long ContributionLength => _layers.ContributionLength;

    public IReadOnlyList<EvaluationSet> EvaluationSets { get; }

    public MethodState State => _layers.State;

    public bool SharesLayers => _spec.Parallel == ParallelKind.Layers;

    public IReadOnlyList<long> LayerCosts => [.. Net.Widths.Select((width, l) => width * Net.FanIns[l])];

    public int LongestLeaf => _rounds.LongestLeaf;

    private DenseNet Net => _layers.Net;

    public ILayerRun Open(LayerRange layers) => Run(Net.Only(layers));

    public IReadOnlyList<Leaf> Leaves(long round) => _rounds.Leaves(round);

    public Tally Contribute(long round, Leaf leaf, FlatBuffer into)
    {
        if (_spec.Negatives != NegativeData.HardLabel) { return _layers.Contribute(round, leaf, below: null, above: null, into); }

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        into.Clear();
        var (x, classes) = Samples(round, leaf);
        var (probabilities, correct) = _layers.LearnReadOut(_layers.Read(Neutral(x), []).Read, classes, into);
        using var onHost = probabilities.cpu();
        var right = Right(classes);
        var wrong = WrongLabels.Hard(_job.Seed, round, leaf, right, _training.Classes, TensorMemory.Elements<float>(onHost.contiguous()));
        _layers.LearnLayers(Both(_label!.With(x, right), _label.With(x, wrong)), zeros(leaf.Count, device: _device), into);
        return new Tally(leaf.Count, leaf.Count, _layers.Loss(into), correct, Leaves: 1);
    }

    public RoundResult Update(long round, FlatBuffer sum, in Tally tally) => _layers.Update(round, sum, tally);

    public Tally Evaluate(EvaluationSet set, Leaf leaf)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var samples = _evaluation.GatherRun(leaf.First, leaf.Count, seed: 0, _device);
        var scores = Scores(samples.Inputs.flatten(1)); // [n, K]
        var loss = nn.functional.cross_entropy(scores.to(ScalarType.Float64), samples.Targets, reduction: nn.Reduction.Sum);
        return new Tally(leaf.Count, leaf.Count, loss.Total(), scores.argmax(1).eq(samples.Targets).Total(), Leaves: 1);
    }

    public void Dispose() => _layers.Dispose();

    private DenseRun Run(DenseNet net) => new(_job, _spec, net, _rounds, _device, FromData);

    /// <summary>A leaf whose negatives do not depend on the weights: hybrids, or any wrong label.</summary>
    private DenseSignal FromData(long round, Leaf leaf)
    {
        var samples = _training.Gather(_rounds.Samples(round, leaf), seed: 0, _device);
        var x = samples.Inputs.flatten(1); // [n, features]
        var (positive, negative) = _label is null ? (x, Hybrids(round, leaf, samples.Inputs).flatten(1)) : Labelled(round, leaf, x, samples.Targets);
        return new DenseSignal(
            Both(positive, negative), zeros(leaf.Count, device: _device), Net.Classes > 0 ? Neutral(x) : null, [], Net.Classes > 0 ? samples.Targets : null);
    }

    private (Tensor X, Tensor Classes) Samples(long round, Leaf leaf)
    {
        var samples = _training.Gather(_rounds.Samples(round, leaf), seed: 0, _device);
        return (samples.Inputs.flatten(1), samples.Targets);
    }

    private Tensor Neutral(Tensor x) => RowNorm.Rms(_label?.Neutral(x) ?? x);

    /// <summary>x̂ of the lowest layer, [2n, d].</summary>
    private static Tensor Both(Tensor positive, Tensor negative) => RowNorm.Rms(cat([positive, negative]));

    private (Tensor Positive, Tensor Negative) Labelled(long round, Leaf leaf, Tensor x, Tensor classes)
    {
        var right = Right(classes);
        var wrong = WrongLabels.Random(_job.Seed, round, leaf, right, _training.Classes);
        return (_label!.With(x, right), _label.With(x, wrong));
    }

    private static long[] Right(Tensor classes)
    {
        using var onHost = classes.cpu();
        return TensorMemory.Elements<long>(onHost).ToArray();
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
        if (_spec.Prediction == DensePrediction.OnePass) { return Net.ReadOut(_layers.Theta).Logits(cat([.. _layers.Read(Neutral(x), []).Read], 1)); }
        return stack([.. Enumerable.Range(0, _training.Classes).Select(label => GoodnessWith(x, label))], 1);
    }

    /// <summary>Σ_l g_l of the samples with one and the same label, [n].</summary>
    private Tensor GoodnessWith(Tensor samples, int label)
    {
        using var scope = NewDisposeScope();
        var x = RowNorm.Rms(_label!.WithEach(samples, label));
        var total = zeros(x.shape[0], device: _device);
        for (var l = 0; l < Net.Count; l++)
        {
            using var layerScope = NewDisposeScope();
            var y = Net.Layer(_layers.Theta, l).Forward(x);
            if (_layers.Votes(l)) { total.Add(Goodness.Of(y, _spec.Goodness)); }
            x = DenseRun.Above(x, y);
        }

        return total.MoveToOuterDisposeScope();
    }
}
