using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using TorchSharp;
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
/// change is not finite is left out and named; the others' round holds.
/// </summary>
/// <remarks>
/// State between rounds: w, D(t-1), the server's moments, both rates, and the number of rounds applied. Running statistics of batch
/// normalisation are averaged like the weights, with α = 1, and are no part of any product. Memory: six vectors of the model's size
/// (w, the client's w, D, two gradients, and the contribution), and the moments.
/// </remarks>
internal sealed class FederatedMethod : IRoundMethod
{
    /// <summary>Weight of a batch's statistics in a client's running ones (PyTorch's momentum of batch normalisation).</summary>
    private const double StatisticMomentum = 0.1;

    private const string Updates = "updates", Alpha = "globalLrBits", Beta = "localLrBits", ProductSum = "productSumBits";

    private readonly JobSpec _spec;
    private readonly FederatedSpec _federated;
    private readonly FederatedData _data;
    private readonly Device _device;
    private readonly FlatModel _model;        // Holds a client's weights while it trains, the global ones in an evaluation.
    private readonly FlatBuffer _global;      // w(t)         [P], then statistics
    private readonly FlatBuffer _last;        // D(t-1)       [P]
    private readonly FlatBuffer[] _gradients; // g(k), g(k-1) [P], then a batch's statistics
    private readonly List<(string Name, FlatBuffer Buffer)> _moments = [];
    private readonly List<FlatBuffer> _localMoments = [];
    private readonly IRateScheduler _scheduler;
    private readonly LocalTraining _training;
    private readonly ServerStep _server;

    /// <exception cref="Contracts.BadInputException">The data are missing or damaged, do not fit the model, or a client would have none.</exception>
    public FederatedMethod(JobSpec spec, IReadOnlyList<string> dataRoots, Device device) : this(spec, FederatedData.Open(spec, dataRoots), device) { }

    public FederatedMethod(JobSpec spec, FederatedData data, Device device)
    {
        (_spec, _federated, _data, _device) = (spec, spec.Federated!, data, device);
        var network = ModelCatalog.Create(spec.Model, data.Evaluation.InputShape, data.Evaluation.Classes, spec.Seed, device);
        _model = new FlatModel(network, spec.Precision, device);
        _global = new FlatBuffer(Layout.Length, device);
        _global.CopyFrom(_model.Theta);
        _last = new FlatBuffer(Layout.ParameterLength, device);
        _gradients = [new FlatBuffer(Layout.Length, device), new FlatBuffer(Layout.Length, device)];

        var byCosine = _federated.Scheduler is SchedulerSpec.FedHyper { Product: HyperProduct.Cosine };
        _scheduler = RateSchedulers.Create(_federated);
        _server = new ServerStep(_scheduler, ServerOptimizer.Create(_federated.Server, Moment), byCosine, spec.Threads);
        _training = new LocalTraining(LocalOptimizer.Create(_federated.LocalOptimizer, LocalMoment), _federated.Proximal, byCosine, spec.Threads);

        Rounds = spec.Rounds!.Value;
        ContributionLength = Layout.Length + ClientTable.Length(_federated.ClientsPerRound);
        EvaluationSets = [EvaluationSet.Of("", data.Evaluation.Count, spec.Evaluate.Samples)];
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
    public IReadOnlyList<Leaf> Leaves(long round) =>
        [.. Cohort.Of(_spec.Seed, round, _data.Clients.Length, _federated.ClientsPerRound).Select((client, i) => new Leaf(i, First: client, Count: 1))];

    /// <summary>p_m·δ_m, and the client's row of the table.</summary>
    public Tally Contribute(long round, Leaf leaf, FlatBuffer into)
    {
        var client = _data.Clients[(int)leaf.First];
        _model.Theta.CopyFrom(_global); // w_m(t,0) = w(t)
        var (run, first, last, total) = Train(round, (int)leaf.First, client);

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        into.Clear();
        var delta = into.Tensor.narrow(0, 0, Layout.Length);
        delta.copy_(_global.Tensor).sub_(_model.Theta.Tensor); // δ_m = w(t) - w_m(t,K); of statistics likewise
        var squares = FlatNorm.SumOfSquares(into, Layout.ParameterLength, _spec.Threads);
        var isFinite = double.IsFinite(Layout.Statistics.IsEmpty ? squares : FlatNorm.SumOfSquares(into, Layout.Length, _spec.Threads));
        var end = !double.IsFinite(total.Loss) ? ClientEnd.LossNotFinite : isFinite ? ClientEnd.Counted : ClientEnd.ChangeNotFinite;
        var table = into.Tensor.narrow(0, Layout.Length, into.Length - Layout.Length);
        if (end != ClientEnd.Counted)
        {
            delta.zero_();
            ClientTable.Write(table, leaf.Index, new ClientReport { End = end, Steps = run.Steps });
            return new Tally(0, 0, 0, 0, Leaves: 1);
        }

        double weight = _federated.Weighting == ClientWeighting.Examples ? client.Samples.Length : 1;
        delta.mul_(weight);
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
        ClientReport[] counted = [.. reports.Where(report => report.End == ClientEnd.Counted)];
        var weight = counted.Sum(report => report.Weight);

        var (before, rates) = (Rates, Rates);
        var server = _server.Step(
            Parameters(_global), _last.Tensor, Parameters(sum), weight, counted.Sum(report => report.Weight * report.Squares), State.Counters[Updates], ref rates);
        if (server is not { } record)
        {
            var reason = weight == 0 ? "no client's change can be used" : "the mean of the clients' changes is not finite";
            return new RoundResult(before.Beta, double.NaN, reason) { Notices = notices };
        }

        AverageStatistics(sum, weight);
        State.Counters[Updates]++;
        Rates = rates;
        var sendsUpdate = _federated.Scheduler is SchedulerSpec.FedHyper { Variant: HyperVariant.ClientLocal or HyperVariant.GlobalAndClientLocal };
        return new RoundResult(before.Beta, record.UpdateNorm)
        {
            Values = RoundRecord.Of(record, counted, cohort.Count, before.Beta, ModelBytes, sendsUpdate),
            Notices = notices,
        };
    }

    public Tally Evaluate(EvaluationSet set, Leaf leaf)
    {
        _model.Theta.CopyFrom(_global);
        using var batch = _data.Evaluation.GatherRun(leaf.First, leaf.Count, Seeds.Derive(_spec.Seed, SeedPurpose.Masking, -1), _device);
        return _model.EvaluateLeaf(batch);
    }

    public void Dispose()
    {
        FlatBuffer[] all = [_global, _last, .. _gradients, .. _moments.Select(moment => moment.Buffer), .. _localMoments];
        foreach (var buffer in all) { buffer.Dispose(); }
        _model.Dispose();
    }

    private Layout Layout => _model.Layout;

    private long ModelBytes => Layout.Segments.Sum(segment => segment.Length) * sizeof(float);

    /// <summary>α and β are doubles; a state's numbers are whole. Their bits lose nothing.</summary>
    private RateState Rates
    {
        get => new(
            BitConverter.Int64BitsToDouble(State.Counters[Alpha]),
            BitConverter.Int64BitsToDouble(State.Counters[Beta]),
            BitConverter.Int64BitsToDouble(State.Counters[ProductSum]));
        set => (State.Counters[Alpha], State.Counters[Beta], State.Counters[ProductSum]) =
            (BitConverter.DoubleToInt64Bits(value.Alpha), BitConverter.DoubleToInt64Bits(value.Beta), BitConverter.DoubleToInt64Bits(value.ProductSum));
    }

    private Tensor Parameters(FlatBuffer buffer) => buffer.Tensor.narrow(0, 0, Layout.ParameterLength);

    /// <summary>The local steps of one client, in the model's own weights; with the scalars of its first batch, of its last one, and of all.</summary>
    private (LocalRun Run, Tally First, Tally Last, Tally Total) Train(long round, int number, ClientData client)
    {
        using var scope = NewDisposeScope();
        var batches = new LocalBatches(_federated, _spec.Seed, round, number, client.Samples.Length);
        var chance = Seeds.Derive(_spec.Seed, SeedPurpose.Leaf, round, number);
        var masking = Seeds.Derive(_spec.Seed, SeedPurpose.Masking, round, number);
        Tensor[] gradients = [Parameters(_gradients[0]), Parameters(_gradients[1])];
        var (first, last, total) = (default(Tally), default(Tally), default(Tally));

        var rates = _scheduler.Client(Rates.Beta, new ClientRound(batches.Steps, batches.StepsPerEpoch, _federated.ClientsPerRound));
        var run = _training.Run(
            Parameters(_model.Theta), Parameters(_global), State.Counters[Updates] > 0 ? _last.Tensor : null, batches.Steps, rates, Gradient);
        return (run, first, last, total);

        Tensor? Gradient(long k)
        {
            var samples = Array.ConvertAll(batches.At(k), place => client.Samples[place]);
            using var batch = client.Set.Gather(samples, Seeds.Derive((long)masking, SeedPurpose.LocalStep, k), _device);
            var buffer = _gradients[k % 2];
            last = _model.TrainLeaf(batch, Seeds.Derive((long)chance, SeedPurpose.LocalStep, k), buffer);
            if (k == 0) { first = last; }
            total += last;
            if (!double.IsFinite(last.Loss)) { return null; }

            MeanOf(gradients[k % 2], last.Weight);
            MoveStatistics(buffer);
            return gradients[k % 2];
        }
    }

    /// <summary>From the sum over a batch to its mean; a batch without a target has none.</summary>
    private static void MeanOf(Tensor sum, double weight)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        if (weight > 0) { sum.div_(weight); }
    }

    /// <summary>A client's running statistics: running ← 0.9·running + 0.1·those of the batch.</summary>
    private void MoveStatistics(FlatBuffer ofBatch)
    {
        if (Layout.Statistics.IsEmpty) { return; }
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Statistics(_model.Theta).mul_(1 - StatisticMomentum).add_(Statistics(ofBatch), alpha: StatisticMomentum);
    }

    /// <summary>The global running statistics become the weighted mean of the clients'.</summary>
    private void AverageStatistics(FlatBuffer sum, double weight)
    {
        if (!Layout.Statistics.IsEmpty) { Statistics(_global).sub_(Statistics(sum).div_(weight)); }
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

    private Tensor LocalMoment()
    {
        _localMoments.Add(new FlatBuffer(Layout.ParameterLength, _device));
        return _localMoments[^1].Tensor;
    }
}
