using System.Collections.Immutable;
using System.Globalization;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// Graph networks whose layers learn by themselves: Park et al., "Forward Learning of Graph Neural Networks" (ICLR 2024),
/// arXiv:2403.11004.
/// </summary>
/// <remarks>
/// <code>
/// round:      one update of one unit (a layer; with back-propagation all of them) on the whole graph
///             leaves: consecutive pieces of the training samples; each contributes the gradient of its Σ ℓ
/// greedy:     a unit learns for at most E updates, then the next on its frozen outputs      ff-la, ff-vn, sf, back-propagation
/// cyclic:     each time step is a round of every unit                                       sf-top-to-input, sf-top-to-loss
/// validation: every V updates (time steps), by the prediction of all units so far; after P of them without a better one
///             the unit, or all of them, go back to their best weights and the next begins
/// </code>
/// Validation and what an algorithm remembers are computed alike by every worker; only the gradient is shared out. When the job ends
/// is seen as it goes: the number of rounds is a bound until then.
/// </remarks>
internal sealed class GraphForwardForward : IRoundMethod
{
    private const string Unit = "unit";       // That learns now; as many as there are, at the end.
    private const string Steps = "steps";     // Updates of the unit, or time steps.
    private const string Best = "best";       // Of its validations; -1 for none.
    private const string Waited = "waited";   // Validations since then.
    private const string Ended = "ended";     // Rounds after which all units had learned; 0 until then.

    private readonly JobSpec _job;
    private readonly ForwardForwardSpec.Graph _spec;
    private readonly IGraphAlgorithm _algorithm;
    private readonly GraphNet _net;
    private readonly FlatBuffer _theta;
    private readonly FlatBuffer _best;
    private readonly IElementwiseOptimizer _optimizer;
    private readonly Part[] _parts; // Of the units.
    private readonly long _maxSteps;

    /// <exception cref="BadInputException">The graph is missing or damaged, or the device is no CPU.</exception>
    public GraphForwardForward(JobSpec job, ForwardForwardSpec.Graph spec, IReadOnlyList<string> dataRoots, Device device)
    {
        if (device.type != DeviceType.CPU) { throw new BadInputException("device: graphs are computed on the CPU; leave out device, or set it to cpu"); }

        (_job, _spec, _maxSteps) = (job, spec, (long)job.Epochs!.Value);
        var data = job.Data as DataSpec.Graph ?? throw new ArgumentException("the spec was not checked: its data are no graph", nameof(job));
        _algorithm = GraphAlgorithms.Create(job, spec, GraphFolder.Read(data, dataRoots));
        _net = new GraphNet(_algorithm.Layers, _algorithm.Memory);
        _theta = new FlatBuffer(_net.Layout.Length, device);
        _best = new FlatBuffer(_net.Layout.ParameterLength, device);
        _net.Initialise(_theta, job.Seed);
        _optimizer = OptimizerFactory.CreateElementwise(job.Optimizer, _net.Layout, device, job.Threads);
        _parts = [.. Enumerable.Range(0, Units).Select(unit => PartOf(unit, _algorithm.LayersPerUnit))];
        State = new MethodState(
            _net.Layout,
            [("theta", _theta), .. _optimizer.Moments, ("best", _best)],
            new SortedDictionary<string, long>(StringComparer.Ordinal) { [Unit] = 0, [Steps] = 0, [Best] = -1, [Waited] = 0, [Ended] = 0 });

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _algorithm.Begin(_net.Layers(_theta), _net.Memory(_theta));
    }

    public long Rounds => this[Ended] > 0 ? this[Ended] : Units * _maxSteps;

    public long ContributionLength => _net.ContributionLength;

    /// <summary>The whole test in one piece: a prediction takes the whole graph.</summary>
    public IReadOnlyList<EvaluationSet> EvaluationSets { get; } = [new EvaluationSet("", [new Leaf(0, 0, 1)])];

    public MethodState State { get; }

    private int Units => _algorithm.Layers.Count / _algorithm.LayersPerUnit;

    private int UnitNow => (int)this[Unit];

    private long this[string counter]
    {
        get => State.Counters[counter];
        set => State.Counters[counter] = value;
    }

    public IReadOnlyList<Leaf> Leaves(long round) => Leaf.Cut(_algorithm.Samples, Math.Min(_job.Leaf ?? _algorithm.Samples, _algorithm.Samples));

    public Tally Contribute(long round, Leaf leaf, FlatBuffer into)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        into.Clear();
        var tally = _algorithm.Learn(UnitNow, (int)leaf.First, leaf.Count, _net.Layers(_theta), _net.Memory(_theta), _net.Layers(into));
        ((ReadOnlySpan<float>)[(float)tally.Right, (float)tally.Positive, (float)tally.Negative]).CopyTo(_net.Record(into));
        return new Tally(leaf.Count, leaf.Count, tally.Loss, tally.Right, Leaves: 1);
    }

    public RoundResult Update(long round, FlatBuffer sum, in Tally tally)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (unit, eta) = (UnitNow, _job.Schedule!.Lr!.Value);
        var part = _parts[unit];
        var norm = Math.Sqrt(FlatNorm.SumOfSquares(sum, part)) / tally.Weight;
        if (!double.IsFinite(norm)) { return new RoundResult(eta, norm, "the gradient is not finite"); }

        var weights = _net.Layers(_theta);
        _algorithm.Remember(unit, weights, _net.Memory(_theta));
        var clip = _job.Clip is { } limit ? FlatNorm.ClipFactor(norm, limit.Norm) : 1;
        _optimizer.Step(part, _theta, sum, clip / tally.Weight, eta, this[Steps] + 1);

        var record = _net.Record(sum).ToArray();
        var values = LayerRecords.Values(unit, new LayerRecord(
            record[1] == 0 ? null : record[1] / tally.Weight, record[2] == 0 ? null : record[2] / tally.Weight, tally.MeanLoss, record[0] / tally.Weight));
        var (validated, learned) = Advance(round, unit, weights);
        return new RoundResult(eta, norm)
        {
            Values = validated is { } share ? values.SetItem("validation", share) : values,
            Notices = learned is null ? [] : [learned],
        };
    }

    public Tally Evaluate(EvaluationSet set, Leaf leaf)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return _algorithm.Evaluate(_algorithm.IsCyclic ? Units - 1 : Math.Min(UnitNow, Units - 1), _net.Layers(_theta));
    }

    public void Dispose()
    {
        _algorithm.Dispose();
        _optimizer.Dispose();
        _theta.Dispose();
        _best.Dispose();
    }

    /// <summary>Counts the update, validates where that is due, and says whose turn is next.</summary>
    /// <returns>The share that was right in the validation, null where there was none; and what a person should read of a unit that has learned.</returns>
    private (double? Validated, string? Learned) Advance(long round, int unit, IReadOnlyList<LayerTensors> weights)
    {
        if (_algorithm.IsCyclic)
        {
            this[Unit] = (unit + 1) % Units;
            if (unit + 1 < Units) { return (null, null); }
        }

        var isLast = ++this[Steps] == _maxSteps;
        if (!isLast && this[Steps] % _spec.ValidateEvery != 0) { return (null, null); }

        var right = _algorithm.Validate(unit, weights);
        var part = _algorithm.IsCyclic ? Part.All(_net.Layout) : _parts[unit];
        if (right > this[Best])
        {
            (this[Best], this[Waited]) = (right, 0);
            Copy(_theta, _best, part);
        }
        else { this[Waited]++; }

        var validated = (double)right / _algorithm.ValidationTotal;
        if (!isLast && this[Waited] < _spec.Patience) { return (validated, null); }

        var learned = InWords(unit);
        Copy(_best, _theta, part);
        (this[Unit], this[Steps], this[Best], this[Waited]) = (_algorithm.IsCyclic ? Units : unit + 1, 0, -1, 0);
        if (this[Unit] == Units) { this[Ended] = round + 1; }
        return (validated, learned);
    }

    /// <summary>A best validation that is low and came early tells of a unit whose patience ended before it had begun to learn.</summary>
    private string InWords(int unit)
    {
        var validations = (this[Steps] + _spec.ValidateEvery - 1) / _spec.ValidateEvery; // The last update is validated too.
        var best = Math.Min((validations - this[Waited]) * _spec.ValidateEvery, this[Steps]);
        var who = _algorithm.IsCyclic || Units == 1 ? "All layers have" : string.Create(CultureInfo.InvariantCulture, $"Layer {unit + 1} has");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{who} learned in {this[Steps]} of at most {_maxSteps} updates; the weights kept are those of update {best}, with {(double)this[Best] / _algorithm.ValidationTotal:P2} right in the validation");
    }

    private static void Copy(FlatBuffer from, FlatBuffer to, in Part part) =>
        to.Tensor.narrow(0, part.Offset, part.Length).copy_(from.Tensor.narrow(0, part.Offset, part.Length));

    private Part PartOf(int unit, int layers)
    {
        var (first, last) = (Part.Named(_net.Layout, GraphNet.Prefix(unit * layers)), Part.Named(_net.Layout, GraphNet.Prefix(((unit + 1) * layers) - 1)));
        return new Part(first.Offset, last.End - first.Offset);
    }
}
