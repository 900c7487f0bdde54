using System.Collections.Immutable;
using Cluster.Contracts.Schedules;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Dense;

/// <summary>
/// A run of dense layers that learn by themselves, and the read-out where the highest layer is among them.
/// </summary>
/// <remarks>
/// <code>
/// for each layer l of the run, from the bottom up, with the weights before the round:
///   y_l = relu(x̂_l W_lᵀ + b_l)      g = Σ_j y²        x̂_{l+1} = y_l / √(mean y²)
///   L_l = 1/B Σ_s ½ [ softplus(θ - g_s⁺) + softplus(g_s⁻ - θ) ]
/// then W_l ← step(W_l, ∂L_l/∂W_l) for all l
/// </code>
/// The half makes it the mean over the joined batch, as in Hinton's code; SymBa's loss is of pairs and has none.
/// </remarks>
internal sealed class DenseRun : ILayerRun
{
    private const string Updates = "updates";

    private readonly JobSpec _job;
    private readonly ForwardForwardSpec.Dense _spec;
    private readonly Device _device;
    private readonly StagedRounds _rounds;
    private readonly Func<long, Leaf, DenseSignal> _fromData;
    private readonly Contrasts _contrast;
    private readonly IElementwiseOptimizer _optimizer;
    private readonly ImmutableArray<Part> _parts; // Of the layers.
    private readonly Part? _readOutPart;

    /// <param name="net">Of which the layers of the run are here.</param>
    /// <param name="fromData">A leaf of a round as the lowest layer of the net is to see it.</param>
    public DenseRun(JobSpec job, ForwardForwardSpec.Dense spec, DenseNet net, StagedRounds rounds, Device device, Func<long, Leaf, DenseSignal> fromData)
    {
        (_job, _spec, Net, _rounds, _device, _fromData) = (job, spec, net, rounds, device, fromData);
        _contrast = new Contrasts(net, spec);
        Theta = new FlatBuffer(net.Layout.Length, device);
        var stacked = job.Optimizer.Stacked.Where(name => net.IsWhole || net.Layout.Parameters.Any(segment => segment.Name == name));
        _optimizer = OptimizerFactory.CreateElementwise(job.Optimizer with { Stacked = [.. stacked] }, net.Layout, device, job.Threads);
        _parts = [.. Enumerable.Range(net.Layers.First, net.Layers.Count).Select(l => Part.Named(net.Layout, DenseNet.Prefix(l)))];
        _readOutPart = net.HasReadOut ? Part.Named(net.Layout, "readOut.", (spec.ReadOut ?? new ReadOutSpec()).WeightDecay) : null;
        State = new MethodState(
            net.Layout, [("theta", Theta), .. _optimizer.Moments], new SortedDictionary<string, long>(StringComparer.Ordinal) { [Updates] = 0 });
    }

    public DenseNet Net { get; }

    public FlatBuffer Theta { get; }

    public MethodState State { get; }

    public long ContributionLength => Net.Contribution.Length;

    public long SignalBelow(int samples) => DenseSignal.Length(Net, Net.Layers.First, samples);

    public long SignalAbove(int samples) => DenseSignal.Length(Net, Net.Layers.End, samples);

    public Tally Contribute(long round, Leaf leaf, FlatBuffer? below, FlatBuffer? above, FlatBuffer into)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        into.Clear();
        var signal = below is null ? _fromData(round, leaf) : DenseSignal.From(below, Net, Net.Layers.First, leaf.Count, _device);
        (Tensor? Neutral, ImmutableArray<Tensor> Read) up = signal.Neutral is null ? (null, []) : Read(signal.Neutral, signal.Read);
        var correct = Net.HasReadOut ? LearnReadOut(up.Read, signal.Classes!, into).Correct : 0;
        var x = LearnLayers(signal.X, signal.Lead, into);
        if (Net.Layers.End == Net.Count && !Net.HasReadOut) { correct = Ranked(signal.Lead); }

        if (above is not null) { (signal with { X = x, Neutral = up.Neutral, Read = up.Read }).Write(above, Net, Net.Layers.End); }
        return new Tally(leaf.Count, leaf.Count, Loss(into), correct, Leaves: 1);
    }

    public RoundResult Update(long round, FlatBuffer sum, in Tally tally)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var stage = _rounds.StageOf(round);
        var eta = Schedule.Rate(stage, round);
        if (!double.IsFinite(FlatNorm.SumOfSquares(sum, ContributionLength, _job.Threads))) { return new RoundResult(eta, double.NaN, "the gradient is not finite"); }

        var norm = Math.Sqrt(FlatNorm.SumOfSquares(sum, Net.Layout.ParameterLength, _job.Threads)) / tally.Weight;
        if (stage.ResetsMoments(round)) { ResetMoments(); }

        var t = ++State.Counters[Updates];
        for (var l = Net.Layers.First; l < Net.Layers.End; l++)
        {
            if (_spec.Peer > 0) { PeerNormalisation.Add(Net.Activity(Theta, l), Net.Activity(sum, l), Net.Inputs(sum, l), tally.Weight, _spec.Peer, Net.Layer(sum, l)); }
            Step(_parts[l - Net.Layers.First], sum, tally.Weight, eta, t);
        }

        if (_readOutPart is { } part) { Step(part, sum, tally.Weight, eta * (_spec.ReadOut ?? new ReadOutSpec()).RateFactor, t); }
        return new RoundResult(eta, norm) { Values = LayerRecords.Values(RecordsOf(sum, tally.Weight), Net.Layers.First) };
    }

    /// <summary>The layers from the bottom up: each adds the gradient of its own loss, its record, and for peers its sums.</summary>
    /// <param name="x">x̂ of the lowest, positive and negative, [2n, d].</param>
    /// <param name="lead">Σ g⁺ - g⁻, [n]: the layers that vote add theirs.</param>
    /// <returns>x̂ of the layer above.</returns>
    public Tensor LearnLayers(Tensor x, Tensor lead, FlatBuffer into)
    {
        var n = lead.shape[0];
        for (var l = Net.Layers.First; l < Net.Layers.End; l++)
        {
            using var layerScope = NewDisposeScope();
            var y = Net.Layer(Theta, l).Forward(x);           // [2n, u]
            var g = Goodness.Of(y, _spec.Goodness).view(2, n);
            var (losses, byPositive, byNegative) = _contrast.Of(l, g[0], g.narrow(0, 1, 1));
            Net.Layer(into, l).AddGradient(x, y, cat([byPositive, byNegative[0]]), _spec.Goodness);

            Net.Records(into)[l - Net.Layers.First].copy_(stack([g[0].sum(), g[1].sum(), losses.sum(), _contrast.Right(l, g[0], g.narrow(0, 1, 1)).sum()]));
            if (_spec.Peer > 0)
            {
                Net.Activity(into, l).copy_(y.narrow(0, 0, n).sum([0L]));
                Net.Inputs(into, l).copy_(x.narrow(0, 0, n).sum([0L]));
            }

            if (Votes(l)) { lead.Add(g[0] - g[1]); }
            x = Above(x, y);
        }

        return x;
    }

    /// <summary>What the layer above is given, out of the layer's scope; what this one was given is needed no more.</summary>
    /// <param name="x">x̂ of this layer.</param>
    public static Tensor Above(Tensor x, Tensor y)
    {
        var above = RowNorm.Rms(y).MoveToOuterDisposeScope();
        x.Dispose();
        return above;
    }

    /// <summary>The read-out learns from the neutral input, which without supervision is the sample itself.</summary>
    /// <param name="read">What it sees of the layers.</param>
    /// <param name="classes">[n].</param>
    /// <returns>Probabilities [n, K], and how many samples it gets right.</returns>
    public (Tensor Probabilities, double Correct) LearnReadOut(ImmutableArray<Tensor> read, Tensor classes, FlatBuffer into)
    {
        var activities = cat([.. read], 1);
        var probabilities = Net.ReadOut(Theta).Logits(activities).softmax(1);
        Net.ReadOut(into).AddGradient(activities, probabilities, classes);
        return (probabilities, probabilities.argmax(1).eq(classes).Total());
    }

    /// <summary>Samples without their label through the layers.</summary>
    /// <param name="x">x̂, [n, d].</param>
    /// <param name="read">What the read-out sees of the layers below; those here that it reads are added.</param>
    public (Tensor X, ImmutableArray<Tensor> Read) Read(Tensor x, ImmutableArray<Tensor> read)
    {
        for (var l = Net.Layers.First; l < Net.Layers.End; l++)
        {
            using var layerScope = NewDisposeScope();
            x = RowNorm.Rms(Net.Layer(Theta, l).Forward(x)).MoveToOuterDisposeScope();
            if (Net.Read.Contains(l)) { read = read.Add(x); }
        }

        return (x, read);
    }

    /// <summary>Whether a layer's goodness counts in a prediction.</summary>
    public bool Votes(int layer) => _spec.FirstLayerVotes || Net.Read.Contains(layer);

    /// <summary>How many samples have more goodness than their negative, over the layers that vote.</summary>
    public static double Ranked(Tensor lead) => lead.Above(0).Total();

    /// <summary>The loss of the layers, summed over the samples of a contribution.</summary>
    public double Loss(FlatBuffer contribution) => Net.Records(contribution).select(1, 2).Total();

    /// <summary>One layer's, or the read-out's, step with its mean gradient; a limit on the norm is a limit on its own.</summary>
    private void Step(in Part part, FlatBuffer sum, double weight, double learningRate, long t)
    {
        var scale = 1 / weight;
        if (_job.Clip is { } clip) { scale *= FlatNorm.ClipFactor(Math.Sqrt(FlatNorm.SumOfSquares(sum, part)) * scale, clip.Norm); }
        _optimizer.Step(part, Theta, sum, scale, learningRate, t);
    }

    private IEnumerable<LayerRecord> RecordsOf(FlatBuffer sum, double samples)
    {
        using var records = Net.Records(sum).cpu();
        var values = TensorMemory.Elements<float>(records).ToArray();
        return values.Chunk(DenseNet.RecordLength).Select(record => new LayerRecord(record[0] / samples, record[1] / samples, record[2] / samples, record[3] / samples));
    }

    private void ResetMoments()
    {
        foreach (var (_, moment) in _optimizer.Moments) { moment.Clear(); }
        State.Counters[Updates] = 0;
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        Theta.Dispose();
    }
}
