using System.Collections.Immutable;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>
/// Federated learning with FedHyper's learning rates (Wang, Wang and Li 2024, arXiv 2310.03156), and its base lines.
/// <code>
///   round t:   cohort       so many of the clients, sampled by seed and round              leaves: one client each, ascending
///              w_m(t,K)     K local steps of client m from w(t)                            LocalTraining, with β by the scheduler
///              δ_m(t)       = w(t) - w_m(t,K), along the gradients                         contribution: p_m·δ_m(t), and a report
///              D(t)         = Σ_m p_m·δ_m(t) / Σ_m p_m                                     after the canonical sum
///              w(t+1)       from w(t), D(t) and α(t)                                       ServerStep, with α by the scheduler
/// </code>
/// A client is a leaf, so a round's result depends neither on how many workers there are nor on who is done first. One whose loss or
/// change is not finite is left out and named, one that is late or absent is done without; the others' round holds if they are enough.
/// </summary>
/// <remarks>
/// State between rounds: w, D(t-1), the server's moments, both rates, and the number of rounds applied. Running statistics of batch
/// normalisation are averaged like the weights, with α = 1, and are no part of any product. Memory: w, D(t-1), the server's moments and
/// the contribution, and what the trainer of the clients has.
/// </remarks>
internal sealed class FederatedMethod : IRoundMethod
{
    private const string Updates = "updates", Alpha = "globalLrBits", Beta = "localLrBits", ProductSum = "productSumBits";

    private readonly JobSpec _spec;
    private readonly FederatedSpec _federated;
    private readonly FederatedData _data;
    private readonly Device _device;
    private readonly FlatModel _model;   // Holds a client's weights while it trains, the global ones in an evaluation.
    private readonly FlatBuffer _global; // w(t)   [P], then statistics
    private readonly FlatBuffer _last;   // D(t-1) [P]
    private readonly List<(string Name, FlatBuffer Buffer)> _moments = [];
    private readonly IClientTrainer _trainer;
    private readonly ServerStep _server;
    private readonly LocalEvaluation? _local;
    private (long Round, Leaf[] Leaves) _cohort = (-1, []);

    /// <exception cref="Contracts.BadInputException">The data are missing or damaged, do not fit the model, or a client would have none.</exception>
    public FederatedMethod(JobSpec spec, IReadOnlyList<string> dataRoots, Device device, SiteFolder? site = null)
        : this(spec, FederatedData.Open(spec, dataRoots, site), device, dataRoots: dataRoots)
    {
    }

    /// <param name="clock">For deadlines; the system's by default.</param>
    /// <param name="dataRoots">Where the file of a model that has one is looked for.</param>
    public FederatedMethod(JobSpec spec, FederatedData data, Device device, TimeProvider? clock = null, IReadOnlyList<string>? dataRoots = null)
    {
        (_spec, _federated, _data, _device) = (spec, spec.Federated!, data, device);
        var network = ModelCatalog.Create(spec.Model, data.Evaluation.InputShape, data.Evaluation.Classes, spec.Seed, device, dataRoots);
        _model = new FlatModel(network, spec.Precision, device);
        _global = new FlatBuffer(Layout.Length, device);
        _global.CopyFrom(_model.Theta);
        _last = new FlatBuffer(Layout.ParameterLength, device);

        var scheduler = RateSchedulers.Create(_federated);
        _server = new ServerStep(scheduler, ServerOptimizer.Create(_federated.Server, Moment), _federated.Scheduler is SchedulerSpec.FedHyper { Product: HyperProduct.Cosine }, spec.Threads);
        var together = ClientGroups.SizeFor(spec, Layout.ParameterCount);
        _trainer = together > 1
            ? new GroupTrainer(spec, data, Layout, scheduler, together, device, clock ?? TimeProvider.System)
            : new OneByOneTrainer(spec, data, _model, scheduler, clock ?? TimeProvider.System);

        Rounds = spec.Rounds!.Value;
        ContributionLength = Layout.Length + ClientTable.Length(_federated.Invited);
        _local = _federated.LocalEvaluation is null ? null : new LocalEvaluation(spec, data, _model, device);
        EvaluationSets = [EvaluationSet.Of("", data.Evaluation.Count, spec.Evaluate.Samples), .. _local is null ? [] : (EvaluationSet[])[_local.Set]];
        State = new MethodState(
            Layout,
            [("theta", _global), ("lastUpdate", _last), .. _moments],
            new SortedDictionary<string, long>(StringComparer.Ordinal) { [Updates] = 0 });
        Rates = new RateState(_federated.GlobalLr, _federated.LocalLr);
    }

    public long Rounds { get; }

    public long ContributionLength { get; }

    public IReadOnlyList<EvaluationSet> EvaluationSets { get; }

    public MethodState State { get; }

    /// <summary>The i-th leaf is the i-th client of the round's cohort, in ascending order.</summary>
    public IReadOnlyList<Leaf> Leaves(long round)
    {
        if (_cohort.Round != round)
        {
            var cohort = Cohort.Of(_spec.Seed, round, _data.Clients.Length, _federated.Invited);
            _cohort = (round, [.. cohort.Select((client, i) => LeafOf(i, _data.Clients[client], client))]);
        }

        return _cohort.Leaves;
    }

    /// <summary>p_m·δ_m, and the client's row of the table.</summary>
    public Tally Contribute(long round, Leaf leaf, FlatBuffer into)
    {
        if (leaf.Absence != AbsenceKind.None) { return Missing(leaf, into, leaf.Absence, steps: 0); }
        var (w, run, first, last, total, isLate) = _trainer.Train(round, Leaves(round), leaf, new GlobalModel(_global.Tensor, State.Counters[Updates] > 0 ? _last.Tensor : null, Rates.Beta));
        if (isLate) { return Missing(leaf, into, AbsenceKind.Late, run.Steps); }

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var delta = into.Tensor.narrow(0, 0, Layout.Length);
        delta.copy_(_global.Tensor).sub_(w); // δ_m = w(t) - w_m(t,K); of statistics likewise
        var table = into.Tensor.narrow(0, Layout.Length, into.Length - Layout.Length).zero_();
        var squares = FlatNorm.SumOfSquares(into, Layout.ParameterLength, _spec.Threads);
        var isFinite = double.IsFinite(Layout.Statistics.IsEmpty ? squares : FlatNorm.SumOfSquares(into, Layout.Length, _spec.Threads));
        var end = !double.IsFinite(total.Loss) ? ClientEnd.LossNotFinite : isFinite ? ClientEnd.Counted : ClientEnd.ChangeNotFinite;
        if (end != ClientEnd.Counted)
        {
            delta.zero_();
            ClientTable.Write(table, leaf.Index, new ClientReport { End = end, Steps = run.Steps });
            return new Tally(0, 0, 0, 0, Leaves: 1);
        }

        double weight = _federated.Weighting == ClientWeighting.Examples ? _data.Clients[(int)leaf.First].Samples.Length : 1;
        delta.mul_(Number(weight));
        ClientTable.Write(table, leaf.Index, new ClientReport(
            end, weight, run.Steps, squares, run.BetaMin, run.BetaMean, run.BetaMax,
            first.MeanLoss, first.Accuracy, last.MeanLoss, last.Accuracy));
        return total with { Leaves = 1 };
    }

    public RoundResult Update(long round, FlatBuffer sum, in Tally tally)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var cohort = Leaves(round);
        var reports = ClientTable.Read(sum.Tensor.narrow(0, Layout.Length, sum.Length - Layout.Length), cohort.Count);
        var notices = LeftOut(cohort, reports);
        var parts = RoundRecord.PartsOf(cohort, reports);
        var reported = reports.Count(report => report.HasReported);
        if (reported < _federated.Quorum)
        {
            var few = $"{reported} of the {cohort.Count} clients that it asked have reported, and federated.participation.quorum wants {_federated.Quorum}";
            return new RoundResult(Rates.Beta, double.NaN, few) { Notices = notices, Clients = parts };
        }

        ClientReport[] counted = [.. reports.Where(report => report.End == ClientEnd.Counted)];
        var weight = counted.Sum(report => report.Weight);

        var (before, rates) = (Rates, Rates);
        var server = _server.Step(
            Parameters(_global), _last.Tensor, Parameters(sum), weight, counted.Sum(report => report.Weight * report.Squares), State.Counters[Updates], ref rates);
        if (server is not { } record)
        {
            var reason = weight == 0 ? "no client's change can be used" : "the mean of the clients' changes is not finite";
            return new RoundResult(before.Beta, double.NaN, reason) { Notices = notices, Clients = parts };
        }

        AverageStatistics(sum, weight);
        State.Counters[Updates]++;
        Rates = rates;
        var sendsUpdate = _federated.Scheduler is SchedulerSpec.FedHyper { Variant: HyperVariant.ClientLocal or HyperVariant.GlobalAndClientLocal };
        return new RoundResult(before.Beta, record.UpdateNorm)
        {
            Values = RoundRecord.Of(record, counted, reports, before.Beta, ModelBytes, sendsUpdate),
            Notices = notices,
            Clients = parts,
        };
    }

    public Tally Evaluate(EvaluationSet set, Leaf leaf)
    {
        _model.Theta.CopyFrom(_global);
        if (set == _local?.Set) { return _local.At((int)leaf.First); }
        using var batch = _data.Evaluation.GatherRun(leaf.First, leaf.Count, Seeds.Derive(_spec.Seed, SeedPurpose.Masking, -1), _device);
        return _model.EvaluateLeaf(batch);
    }

    public void Dispose()
    {
        FlatBuffer[] all = [_global, _last, .. _moments.Select(moment => moment.Buffer)];
        foreach (var buffer in all) { buffer.Dispose(); }
        _trainer.Dispose();
        _model.Dispose();
    }

    private static Leaf LeafOf(int index, ClientData client, int number) =>
        new(index, First: number, Count: 1) { Name = client.Name, Site = client.IsSite ? client.Name : null };

    /// <summary>A row that says why, and zeros.</summary>
    private Tally Missing(Leaf leaf, FlatBuffer into, AbsenceKind why, long steps)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        into.Clear();
        var end = why == AbsenceKind.Late ? ClientEnd.Late : ClientEnd.Absent;
        ClientTable.Write(into.Tensor.narrow(0, Layout.Length, into.Length - Layout.Length), leaf.Index, new ClientReport { End = end, Steps = steps });
        return default;
    }

    private Layout Layout => _model.Layout;

    private long ModelBytes => Layout.Segments.Sum(segment => segment.Length) * sizeof(float);

    private RateState Rates
    {
        get => new(State.Counters.GetNumber(Alpha), State.Counters.GetNumber(Beta), State.Counters.GetNumber(ProductSum));
        set
        {
            State.Counters.SetNumber(Alpha, value.Alpha);
            State.Counters.SetNumber(Beta, value.Beta);
            State.Counters.SetNumber(ProductSum, value.ProductSum);
        }
    }

    private Tensor Parameters(FlatBuffer buffer) => buffer.Tensor.narrow(0, 0, Layout.ParameterLength);

    /// <summary>The global running statistics become the weighted mean of the clients'.</summary>
    private void AverageStatistics(FlatBuffer sum, double weight)
    {
        if (!Layout.Statistics.IsEmpty) { Statistics(_global).sub_(Statistics(sum).div_(Number(weight))); }
    }

    private Tensor Statistics(FlatBuffer buffer) => buffer.Tensor.narrow(0, Layout.ParameterLength, Layout.Length - Layout.ParameterLength);

    private ImmutableArray<string> LeftOut(IReadOnlyList<Leaf> cohort, ClientReport[] reports) =>
    [
        .. from leaf in cohort
           let report = reports[leaf.Index]
           where report.End is ClientEnd.LossNotFinite or ClientEnd.ChangeNotFinite
           let why = report.End == ClientEnd.LossNotFinite ? FormattableString.Invariant($"its loss in local step {report.Steps} is not finite") : "its change is not finite"
           select $"client '{_data.Clients[(int)leaf.First].Name}' was left out: {why}",
    ];

    private Tensor Moment(string name)
    {
        _moments.Add((name, new FlatBuffer(Layout.ParameterLength, _device)));
        return _moments[^1].Buffer.Tensor;
    }
}
