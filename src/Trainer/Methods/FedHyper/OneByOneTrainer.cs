using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>One client after the other, each in the model's own weights: any model on any data.</summary>
/// <param name="model">Is written over; its owner disposes it.</param>
internal sealed class OneByOneTrainer : IClientTrainer
{
    /// <summary>Weight of a batch's statistics in a client's running ones (PyTorch's momentum of batch normalisation).</summary>
    private const double StatisticMomentum = 0.1;

    private readonly JobSpec _spec;
    private readonly FederatedData _data;
    private readonly FlatModel _model;
    private readonly Device _device;
    private readonly IRateScheduler _scheduler;
    private readonly TimeProvider _clock;
    private readonly LocalTraining _training;
    private readonly FlatBuffer[] _gradients; // g(k), g(k-1) [P], then a batch's statistics
    private readonly List<FlatBuffer> _moments = [];

    public OneByOneTrainer(JobSpec spec, FederatedData data, FlatModel model, IRateScheduler scheduler, TimeProvider clock)
    {
        (_spec, _data, _model, _scheduler, _clock) = (spec, data, model, scheduler, clock);
        _device = model.Theta.Tensor.device;
        _gradients = [new FlatBuffer(model.Layout.Length, _device), new FlatBuffer(model.Layout.Length, _device)];
        _training = LocalTraining.Of(spec, Moment);
    }

    public TrainedClient Train(long round, IReadOnlyList<Leaf> cohort, Leaf leaf, GlobalModel global)
    {
        using var scope = NewDisposeScope();
        Copy(global.Weights, _model.Theta.Tensor); // w_m(t,0) = w(t)
        var number = (int)leaf.First;
        var client = _data.Clients[number];
        var batches = new LocalBatches(_spec.Federated!, _spec.Seed, round, number, client.Samples.Length);
        var chance = Seeds.Derive(_spec.Seed, SeedPurpose.Leaf, round, number);
        var masking = Seeds.Derive(_spec.Seed, SeedPurpose.Masking, round, number);
        Tensor[] gradients = [Parameters(_gradients[0].Tensor), Parameters(_gradients[1].Tensor)];
        var (first, last, total) = (default(Tally), default(Tally), default(Tally));
        var (deadline, isLate) = (Deadline.Of(_spec.Federated!, leaf, _clock), false);

        var rates = _scheduler.Client(global.Beta, new ClientRound(batches.Steps, batches.StepsPerEpoch, cohort.Count));
        var run = _training.Run(Parameters(_model.Theta.Tensor), Parameters(global.Weights), global.LastUpdate, batches.Steps, rates, Gradient);
        return new TrainedClient(_model.Theta.Tensor, run, first, last, total, isLate);

        Tensor? Gradient(long k)
        {
            if (k > 0 && deadline.IsOver)
            {
                isLate = true;
                return null;
            }

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

    public void Dispose()
    {
        foreach (var buffer in _gradients.Concat(_moments)) { buffer.Dispose(); }
    }

    /// <summary>From the sum over a batch to its mean; a batch without a target has none.</summary>
    private static void MeanOf(Tensor sum, double weight)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        if (weight > 0) { sum.div_(Number(weight)); }
    }

    /// <summary>A client's running statistics: running ← 0.9·running + 0.1·those of the batch.</summary>
    private void MoveStatistics(FlatBuffer ofBatch)
    {
        if (_model.Layout.Statistics.IsEmpty) { return; }
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Statistics(_model.Theta).mul_(Number(1 - StatisticMomentum)).add_(Statistics(ofBatch), alpha: Number(StatisticMomentum));
    }

    private static void Copy(Tensor from, Tensor to)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        to.copy_(from);
    }

    private Tensor Parameters(Tensor vector) => vector.narrow(0, 0, _model.Layout.ParameterLength);

    private Tensor Statistics(FlatBuffer buffer) => buffer.Tensor.narrow(0, _model.Layout.ParameterLength, _model.Layout.Length - _model.Layout.ParameterLength);

    private Tensor Moment()
    {
        _moments.Add(new FlatBuffer(_model.Layout.ParameterLength, _device));
        return _moments[^1].Tensor;
    }
}
