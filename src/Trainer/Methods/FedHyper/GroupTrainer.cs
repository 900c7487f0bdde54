using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>
/// Clients in groups of neighbours in the cohort, each group one computation with an axis for the clients. For small models, where most
/// of the time one by one goes into making the calls. The same local steps as one by one, equal to rounding.
/// </summary>
/// <remarks>
/// The groups follow from the cohort alone, and a worker that has one client of a group computes all of it: a client's bits then do not
/// depend on how clients are dealt out to workers, even where a kernel's do on how many matrices it is given. Inside a group those with
/// more steps come first, so that the ones under way are always the first rows.
/// Memory: three vectors of the model's size and the local moments, for each client of a group.
/// </remarks>
internal sealed class GroupTrainer : IClientTrainer
{
    private readonly JobSpec _spec;
    private readonly FederatedData _data;
    private readonly Device _device;
    private readonly IRateScheduler _scheduler;
    private readonly TimeProvider _clock;
    private readonly int _size;
    private readonly MlpBatch _networks;
    private readonly List<FlatBuffer> _buffers = [];
    private readonly Rows _weights;     // w_m(t,k)
    private readonly Rows[] _gradients; // g(k), g(k-1)
    private readonly LocalTraining[] _training;
    private readonly TrainedClient[] _trained; // Of the newest group, by place.
    private (long Round, int Group) _newest = (-1, -1);
    private int _given;

    /// <param name="size">Clients of a group; the last one of a cohort may have fewer.</param>
    /// <param name="layout">Of an mlp.</param>
    public GroupTrainer(JobSpec spec, FederatedData data, Layout layout, IRateScheduler scheduler, int size, Device device, TimeProvider clock)
    {
        (_spec, _data, _scheduler, _size, _device, _clock) = (spec, data, scheduler, size, device, clock);
        _networks = new MlpBatch(layout);
        _weights = NewRows(layout.Length);
        _gradients = [NewRows(layout.Length), NewRows(layout.Length)];
        _training = [.. Enumerable.Range(0, size).Select(_ => LocalTraining.Of(spec, () => New(layout.Length)))];
        _trained = new TrainedClient[size];
    }

    public TrainedClient Train(long round, IReadOnlyList<Leaf> cohort, Leaf leaf, GlobalModel global)
    {
        // Asked again for a client that it has given, it may be for other global weights.
        var group = leaf.Index / _size;
        if (_newest != (round, group) || leaf.Index <= _given)
        {
            _newest = (-1, -1);
            TrainGroup(round, [.. cohort.Skip(group * _size).Take(_size)], cohort.Count, global, Deadline.Of(_spec.Federated!, leaf, _clock));
            _newest = (round, group);
        }

        _given = leaf.Index;
        return _trained[leaf.Index % _size];
    }

    public void Dispose()
    {
        foreach (var rows in _gradients.Append(_weights)) { rows.Dispose(); }
        foreach (var buffer in _buffers) { buffer.Dispose(); }
    }

    /// <summary>Also those of whom it is decided that they give nothing: the others' bits may depend on how many there are.</summary>
    private void TrainGroup(long round, Leaf[] leaves, int clients, GlobalModel global, Deadline deadline)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _weights.First(leaves.Length).copy_(global.Weights); // w_m(t,0) = w(t), in every row
        var order = leaves
            .Select(leaf => (Leaf: leaf, Client: _data.Clients[(int)leaf.First]))
            .Select(c => (c.Leaf, c.Client, Batches: new LocalBatches(_spec.Federated!, _spec.Seed, round, (int)c.Leaf.First, c.Client.Samples.Length)))
            .OrderByDescending(c => c.Batches.Steps); // Stable: among equals the order of the cohort.
        Member[] members = [.. order.Select((c, row) => new Member(
            c.Leaf, c.Client, c.Batches,
            _training[row].Begin(_weights[row], global.Weights, global.LastUpdate, _scheduler.Client(global.Beta, new ClientRound(c.Batches.Steps, c.Batches.StepsPerEpoch, clients)))))];

        var active = members.Length;
        for (var k = 0L; ; k++)
        {
            while (active > 0 && members[active - 1].Batches.Steps <= k) { active--; }
            if (active == 0 || (k > 0 && deadline.IsOver)) { break; }
            Step(members.AsSpan(0, active), k);
        }

        foreach (var (row, member) in members.Index())
        {
            var isLate = row < active && !member.IsOver;
            _trained[member.Leaf.Index % _size] = new TrainedClient(_weights[row], member.Steps.SoFar, member.First, member.Last, member.Total, isLate);
        }
    }

    /// <summary>Local step k of those that have one.</summary>
    private void Step(ReadOnlySpan<Member> active, long k)
    {
        using var scope = NewDisposeScope();
        var samples = new long[active.Length][];
        for (var i = 0; i < samples.Length; i++) { samples[i] = active[i].SamplesAt(k); }
        var rows = samples.Max(own => own.Length);
        using var batch = Gather(active, samples, rows);

        var gradients = _gradients[k % 2];
        var (losses, correct) = _networks.Gradients(
            _weights.First(active.Length), batch.Inputs.view(active.Length, rows, -1), batch.Targets.view(active.Length, rows), Shares(samples, rows), gradients.First(active.Length));
        for (var i = 0; i < active.Length; i++)
        {
            var count = samples[i].Length;
            active[i].Step(k, new Tally(count, count, (double)losses[i] * count, correct[i], Leaves: 1), gradients[i]);
        }
    }

    /// <summary>The samples of each member in so many rows; a member with fewer repeats its first one, which cannot make worse what it is counted in.</summary>
    private Batch Gather(ReadOnlySpan<Member> active, long[][] samples, int rows)
    {
        var padded = new long[active.Length * rows];
        for (var i = 0; i < active.Length; i++)
        {
            var own = padded.AsSpan(i * rows, rows);
            own.Fill(samples[i][0]);
            samples[i].CopyTo(own);
        }

        var parts = new List<Batch>();
        for (int first = 0, end; first < active.Length; first = end)
        {
            for (end = first + 1; end < active.Length && active[end].Client.Set == active[first].Client.Set; end++) { }
            parts.Add(active[first].Client.Set.Gather(padded.AsSpan(first * rows, (end - first) * rows), seed: 0, _device)); // Images have no chance.
        }

        return Batch.Join(parts);
    }

    /// <summary>1/n for each of a member's n samples, 0 in the rows that fill up: [members, rows].</summary>
    private Tensor Shares(long[][] samples, int rows)
    {
        var shares = TensorMemory.Allocate(ScalarType.Float32, samples.Length, rows);
        var values = TensorMemory.Elements<float>(shares);
        values.Clear();
        for (var i = 0; i < samples.Length; i++) { values.Slice(i * rows, samples[i].Length).Fill(1f / samples[i].Length); }
        return TensorMemory.MoveTo(shares, _device);
    }

    private Rows NewRows(long length) => new(New(_size * length).view(_size, length));

    private Tensor New(long length)
    {
        _buffers.Add(new FlatBuffer(length, _device));
        return _buffers[^1].Tensor;
    }

    /// <summary>One client of the group and how far it has come.</summary>
    private sealed class Member(Leaf leaf, ClientData client, LocalBatches batches, LocalTraining.Steps steps)
    {
        /// <summary>Its loss was not finite.</summary>
        public bool IsOver { get; private set; }

        public Leaf Leaf => leaf;

        public ClientData Client => client;

        public LocalBatches Batches => batches;

        public LocalTraining.Steps Steps => steps;

        public Tally First { get; private set; }

        public Tally Last { get; private set; }

        public Tally Total { get; private set; }

        public long[] SamplesAt(long k) => Array.ConvertAll(batches.At(k), place => client.Samples[place]);

        /// <summary>A client whose loss is not finite makes no more steps; its row is computed on beside the others.</summary>
        public void Step(long k, in Tally tally, Tensor gradient)
        {
            if (IsOver) { return; }
            if (k == 0) { First = tally; }
            Last = tally;
            Total += tally;
            IsOver = !double.IsFinite(tally.Loss);
            if (!IsOver) { steps.Step(gradient); }
        }
    }

    /// <summary>A matrix [size, P] and its rows.</summary>
    private sealed class Rows : IDisposable
    {
        private readonly Tensor _matrix;
        private readonly Tensor[] _rows;

        public Rows(Tensor matrix)
        {
            _matrix = matrix.DetachFromDisposeScope();
            _rows = [.. Enumerable.Range(0, (int)matrix.shape[0]).Select(row => matrix.select(0, row).DetachFromDisposeScope())];
        }

        public Tensor this[int row] => _rows[row];

        public Tensor First(int count) => _matrix.narrow(0, 0, count);

        public void Dispose()
        {
            foreach (var row in _rows) { row.Dispose(); }
            _matrix.Dispose();
        }
    }
}
