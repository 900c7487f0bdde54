using Cluster.Contracts;
using Cluster.Contracts.Schedules;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.BlackBoxes;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Physical;

/// <summary>
/// Physical local learning (PhyLL): Momeni et al. 2023, arXiv:2304.11042. Each layer is a black box, which is only measured, and a linear map
/// behind it, which learns.
/// </summary>
/// <remarks>
/// <code>
/// round:   layer l of batch b     (b, 1), (b, 2), ... (b, L), (b + 1, 1), ...
///          leaves: pieces of the batch; a leaf puts its samples, right and wrong label, through the box of the layer
///          its contribution is what it measured, at the places of its samples, so that the sum is the measurement of the batch
///          update, alike on every worker: n times   W ← step(W, ∂L/∂W),   L = mean softplus( -θ (G⁺ - G⁻) )   on that one measurement
///          then z, with the new weights, is the signal that goes into the box above
/// prediction: each label is tried; the one with the largest sum of cosines over the layers wins
/// </code>
/// So a box is measured twice for each sample and layer, and K times for each sample and layer of a prediction, and never for a gradient.
/// A box that fails costs the round: nothing changes, and the next round that needs what was not measured measures it anew. One that
/// fails in an evaluation ends the job at a checkpoint.
/// </remarks>
internal sealed class PhysicalForwardForward : IRoundMethod
{
    /// <summary>Vectors of predictions are numbered from here, those of training from 0.</summary>
    private const long FirstOfPredictions = 1L << 40;

    private const string Measurements = "measurements"; // Of training, on all workers.
    private const string SignalRound = "signal";        // The round that may use the signal; -1 for none.

    private readonly JobSpec _job;
    private readonly ForwardForwardSpec.Physical _spec;
    private readonly IDataSet _training;
    private readonly IDataSet _evaluation;
    private readonly StagedRounds _batches;
    private readonly LabelInput _label;
    private readonly Contrast _contrast;
    private readonly PhysicalNet _net;
    private readonly FlatBuffer _theta;
    private readonly FlatBuffer _gradient;
    private readonly IElementwiseOptimizer _optimizer;
    private readonly MeasuredBox[] _boxes;
    private readonly Tensor[] _directions; // p of each layer
    private string? _trouble;

    /// <exception cref="BadInputException">The data are missing or damaged, the address of a device is none, or the device is no CPU.</exception>
    public PhysicalForwardForward(JobSpec job, ForwardForwardSpec.Physical spec, IReadOnlyList<string> dataRoots, Device device)
    {
        if (device.type != DeviceType.CPU) { throw new BadInputException("device: what a black box gives is computed on the CPU; leave out device, or set it to cpu"); }

        (_job, _spec) = (job, spec);
        var model = (ModelSpec.Physical)job.Model;
        var data = job.Data ?? throw new ArgumentException("the spec was not checked: it has no data", nameof(job));
        _training = DataSets.Open(data, dataRoots, DataSplit.Train, pixels: PixelRange.Unit);
        _evaluation = DataSets.Open(data, dataRoots, DataSplit.Evaluation, pixels: PixelRange.Unit);
        _batches = new StagedRounds(job, _ => _training.Count);
        _label = new LabelInput(_training.Classes, LabelPlace.Prepend, spec.LabelValue ?? Largest(_training));
        _contrast = new Contrast(ContrastLoss.Symba, Threshold: 0, spec.Slope);

        var inputs = (int)_label.Width(_training.InputShape.Aggregate(1L, (product, extent) => product * extent));
        _net = new PhysicalNet(model, inputs, Stages.Of(job).Max(stage => stage.Batch!.Value));
        _theta = new FlatBuffer(_net.Layout.Length);
        _gradient = new FlatBuffer(_net.Layout.ParameterLength);
        _net.Initialise(_theta, job.Seed);
        _optimizer = OptimizerFactory.CreateElementwise(job.Optimizer, _net.Layout, CPU, job.Threads);
        _boxes = [.. _net.Widths.Select((width, l) => BlackBoxFactory.Create(model.Box, l, width, job.Seed))];
        _directions = _net.Directions(job.Seed);

        EvaluationSets = [EvaluationSet.Of("", _evaluation.Count, job.Evaluate.Samples)];
        State = new MethodState(
            _net.Layout, [("theta", _theta), .. _optimizer.Moments],
            new SortedDictionary<string, long>(StringComparer.Ordinal) { [Measurements] = 0, [SignalRound] = -1 });
        for (var l = 0; l < Layers; l++) { State.Counters[Steps(l)] = 0; }
    }

    public long Rounds => _batches.Count * Layers;

    public long ContributionLength => _net.ContributionLength;

    public IReadOnlyList<EvaluationSet> EvaluationSets { get; }

    public MethodState State { get; }

    private int Layers => _net.Widths.Length;

    public IReadOnlyList<Leaf> Leaves(long round) => _batches.Leaves(round / Layers);

    public Tally Contribute(long round, Leaf leaf, FlatBuffer into)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        into.Clear();
        var layer = (int)(round % Layers);
        var (batch, place, n) = Place(round, leaf);
        try
        {
            var before = _boxes.Sum(box => box.Measurements);
            var h = Inputs(round, leaf);                                   // [2n, d]
            var measured = MeasureBoth(layer, h, round / Layers, place, batch);
            for (var polarity = 0; polarity < PhysicalNet.Polarities; polarity++)
            {
                var rows = (polarity * batch) + place;
                PhysicalNet.Part(into, 0, batch, _net.Widths[layer]).narrow(0, rows, n).copy_(h.narrow(0, polarity * n, n));
                PhysicalNet.Part(into, 1, batch, _net.Widths[layer]).narrow(0, rows, n).copy_(measured.narrow(0, polarity * n, n));
            }

            _net.Measurements(into) = _boxes.Sum(box => box.Measurements) - before;
            var (losses, right, _, _) = Judge(layer, _net.Seen(h, measured));
            return new Tally(layer == 0 ? n : 0, n, losses.Total(), right.Total(), Leaves: 1);
        }
        catch (BlackBoxException failure)
        {
            _trouble ??= failure.Message;
            return new Tally(0, n, double.NaN, 0, Leaves: 1);
        }
    }

    public string? TakeTrouble()
    {
        var trouble = _trouble;
        _trouble = null;
        return trouble;
    }

    public RoundResult Update(long round, FlatBuffer sum, in Tally tally)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (layer, stage) = ((int)(round % Layers), _batches.StageOf(round / Layers));
        var batch = (int)tally.Weight;
        var eta = Schedule.Rate(stage, round / Layers);
        if (!double.IsFinite(FlatNorm.SumOfSquares(sum, ContributionLength, _job.Threads))) { return new RoundResult(eta, double.NaN, "what was measured is not finite"); }

        var x = _net.Seen(PhysicalNet.Part(sum, 0, batch, _net.Widths[layer]), PhysicalNet.Part(sum, 1, batch, _net.Widths[layer])); // [2B, d]
        var part = Part.Named(_net.Layout, PhysicalNet.Prefix(layer));
        var norm = 0.0;
        for (var step = 0; step < _spec.InnerSteps; step++)
        {
            norm = LearnFrom(layer, x, batch);
            var clip = _job.Clip is { } limit ? FlatNorm.ClipFactor(norm, limit.Norm) : 1;
            _optimizer.Step(part, _theta, _gradient, clip / batch, eta, ++State.Counters[Steps(layer)]);
        }

        _net.Signal(_theta).narrow(0, 0, PhysicalNet.Polarities * batch).copy_(_net.Layer(_theta, layer).Forward(x));
        State.Counters[SignalRound] = round + 1;
        State.Counters[Measurements] += (long)_net.Measurements(sum);

        var (losses, right, positive, negative) = Judge(layer, x);
        var record = new LayerRecord(positive.Total() / batch, negative.Total() / batch, losses.Total() / batch, right.Total() / batch);
        return new RoundResult(eta, norm) { Values = LayerRecords.Values(layer, record).SetItem(Measurements, State.Counters[Measurements]) };
    }

    public Tally Evaluate(EvaluationSet set, Leaf leaf)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var samples = _evaluation.GatherRun(leaf.First, leaf.Count, seed: 0, CPU);
        try
        {
            var x = samples.Inputs.flatten(1);
            var scores = stack([.. Enumerable.Range(0, _evaluation.Classes).Select(label => GoodnessWith(x, label, leaf))], 1); // [n, K]
            var loss = nn.functional.cross_entropy(scores, samples.Targets, reduction: nn.Reduction.Sum);
            return new Tally(leaf.Count, leaf.Count, loss.Total(), scores.argmax(1).eq(samples.Targets).Total(), Leaves: 1);
        }
        catch (BlackBoxException failure)
        {
            _trouble ??= failure.Message;
            return new Tally(0, leaf.Count, double.NaN, 0, Leaves: 1);
        }
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _theta.Dispose();
        _gradient.Dispose();
        foreach (var box in _boxes) { box.Dispose(); }
        foreach (var direction in _directions) { direction.Dispose(); }
    }

    private static string Steps(int layer) => $"steps{layer}";

    /// <summary>Samples of the round's batch, where the leaf's begin in it, and how many they are.</summary>
    private (int Batch, int Place, int Count) Place(long round, Leaf leaf)
    {
        var leaves = Leaves(round);
        return (leaves.Sum(one => one.Count), (int)(leaf.First - leaves[0].First), leaf.Count);
    }

    /// <summary>
    /// What goes into the box of the round's layer, [2n, d]: the labelled samples, or the signal of the layer below. Where that layer's round
    /// was skipped, its signal is measured again, with the weights that it has.
    /// </summary>
    private Tensor Inputs(long round, Leaf leaf)
    {
        var layer = (int)(round % Layers);
        var (batch, place, n) = Place(round, leaf);
        if (layer > 0 && State.Counters[SignalRound] == round)
        {
            var signal = _net.Signal(_theta);
            return cat([signal.narrow(0, place, n), signal.narrow(0, batch + place, n)]);
        }

        var samples = _training.Gather(_batches.Samples(round / Layers, leaf), seed: 0, CPU);
        var right = samples.Targets.data<long>().ToArray();
        var wrong = WrongLabels.Random(_job.Seed, round / Layers, leaf, right, _training.Classes);
        var h = cat([_label.With(samples.Inputs.flatten(1), right), _label.With(samples.Inputs.flatten(1), wrong)]);
        for (var below = 0; below < layer; below++)
        {
            var measured = MeasureBoth(below, h, round / Layers, place, batch);
            h = _net.Layer(_theta, below).Forward(_net.Seen(h, measured));
        }

        return h;
    }

    /// <summary>
    /// φ of both polarities of a leaf, [2n, d]. Vectors of a batch are numbered layer by layer and sample by sample, positive before
    /// negative, so that their noise does not depend on the cut into leaves.
    /// </summary>
    private Tensor MeasureBoth(int layer, Tensor h, long time, int place, int batch)
    {
        var (n, width) = (h.shape[0] / PhysicalNet.Polarities, h.shape[1]);
        var bySample = h.view(PhysicalNet.Polarities, n, width).transpose(0, 1).reshape(-1, width);
        var measured = Measure(layer, bySample, time, (long)PhysicalNet.Polarities * (((long)layer * batch) + place));
        return measured.view(n, PhysicalNet.Polarities, width).transpose(0, 1).reshape(-1, width);
    }

    /// <summary>φ(h). The box is given numbers and gives numbers: nothing else could pass through it.</summary>
    private Tensor Measure(int layer, Tensor h, long time, long first)
    {
        var measured = _boxes[layer].Measure(h.contiguous().data<float>().ToArray(), _net.Widths[layer], new Moment(time, first));
        return tensor(measured, h.shape);
    }

    /// <summary>The gradient of Σ ℓ into the gradient buffer; its norm, of the mean over the batch.</summary>
    private double LearnFrom(int layer, Tensor x, int batch)
    {
        using var scope = NewDisposeScope();
        _gradient.Clear();
        var z = _net.Layer(_theta, layer).Forward(x); // [2B, u]
        var g = PhysicalLayer.Goodness(z, _directions[layer]).view(PhysicalNet.Polarities, batch);
        var (_, byPositive, byNegative) = _contrast.Of(g[0], g.narrow(0, 1, 1));
        _net.Layer(_gradient, layer).AddGradient(x, z, _directions[layer], cat([byPositive, byNegative[0]]));
        return Math.Sqrt(FlatNorm.SumOfSquares(_gradient, _gradient.Length, _job.Threads)) / batch;
    }

    private (Tensor Losses, Tensor Right, Tensor Positive, Tensor Negative) Judge(int layer, Tensor x)
    {
        var g = PhysicalLayer.Goodness(_net.Layer(_theta, layer).Forward(x), _directions[layer]).view(PhysicalNet.Polarities, x.shape[0] / PhysicalNet.Polarities);
        return (_contrast.Of(g[0], g.narrow(0, 1, 1)).Losses, _contrast.Right(g[0], g.narrow(0, 1, 1)), g[0], g[1]);
    }

    /// <summary>Σ_l G_l of the samples with one and the same label, [n].</summary>
    private Tensor GoodnessWith(Tensor samples, int label, Leaf leaf)
    {
        var time = Math.Max(0, State.Counters[SignalRound]) / Layers;
        var h = _label.WithEach(samples, label);
        var total = zeros(h.shape[0]);
        for (var l = 0; l < Layers; l++)
        {
            var number = FirstOfPredictions + ((((long)label * Layers) + l) * _evaluation.Count) + leaf.First;
            h = _net.Layer(_theta, l).Forward(_net.Seen(h, Measure(l, h, time, number)));
            total.Add(PhysicalLayer.Goodness(h, _directions[l]));
        }

        return total;
    }

    /// <summary>The largest input of a data set: what a label should be as high as.</summary>
    private static double Largest(IDataSet data)
    {
        const int piece = 4096;
        var largest = 0.0;
        for (var first = 0L; first < data.Count; first += piece)
        {
            using var scope = NewDisposeScope();
            var samples = data.GatherRun(first, (int)Math.Min(piece, data.Count - first), seed: 0, CPU);
            largest = Math.Max(largest, samples.Inputs.max().Total());
        }

        return largest;
    }
}
