using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core.State;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// A network whose parameters and running statistics are views of one flat buffer, <see cref="Theta"/>, and whose backward pass
/// adds straight into any other buffer of the same layout. Computes leaves; knows no optimiser.
/// </summary>
/// <remarks>
/// Each result is a function of Theta, the batch and the seed alone, not of leaves computed before. One thread: dispose scopes,
/// gradient mode and autocast belong to the thread, torch's generator to the process. Theta must not be written between the
/// forward and the backward pass of a leaf: libtorch would not notice.
/// </remarks>
internal sealed class FlatModel : IDisposable
{
    private readonly Network _network;
    private readonly Precision _precision;
    private readonly Device _device;
    private readonly ImmutableArray<(Parameter Parameter, Segment Segment)> _parameters;
    private readonly ImmutableArray<(BatchNorm Norm, Segment Mean, Segment Variance)> _norms;
    private readonly Dictionary<nn.Module, long> _begins = []; // Of layers, where their first parameter lies.
    private readonly bool _usesOneDnn;
    private FlatBuffer? _bound;

    /// <summary>Takes the network over, and its initial weights into <see cref="Theta"/>.</summary>
    /// <param name="precision">Arithmetic of forward and backward; the loss, and everything that is kept, is float32.</param>
    public FlatModel(Network network, Precision precision, Device device)
    {
        (_network, _precision, _device) = (network, precision, device);
        var parameters = network.named_parameters().ToArray();
        var statistics = network.named_buffers().ToArray();
        Layout = new Layout(
        [
            .. parameters.Select(p => (p.name, p.parameter.shape.ToImmutableArray(), SegmentRole.Parameter)),
            .. statistics.Select(s => (s.name, s.buffer.shape.ToImmutableArray(), SegmentRole.Statistic)),
        ]);
        Theta = new FlatBuffer(Layout.Length, device);

        var segments = Layout.Segments.ToDictionary(segment => segment.Name);
        foreach (var (name, tensor) in parameters.Select(p => (p.name, (Tensor)p.parameter)).Concat(statistics))
        {
            Become(tensor, Theta, segments[name]);
        }

        _parameters = [.. parameters.Select(p => (p.parameter, segments[p.name]))];
        foreach (var (name, module) in network.named_modules())
        {
            if (parameters.FirstOrDefault(p => p.name.StartsWith($"{name}.", StringComparison.Ordinal)).name is { } first) { _begins[module] = segments[first].Offset; }
        }

        _norms = [.. from module in network.named_modules()
                     where module.module is BatchNorm
                     select ((BatchNorm)module.module, segments[$"{module.name}.running_mean"], segments[$"{module.name}.running_var"])];
        _usesOneDnn = OneDnn.IsRightFor(_parameters.Select(p => p.Parameter), precision);
        OneDnn.Use(_usesOneDnn);
    }

    public Layout Layout { get; }

    /// <summary>θ: parameters, then running statistics. [Layout.Length].</summary>
    public FlatBuffer Theta { get; }

    /// <summary>
    /// Forward and backward of one leaf. Overwrites <paramref name="into"/> ([≥ Layout.Length]): a parameter's segment gets the
    /// gradient of the summed loss, a statistic's segment this leaf's own mean or variance, all else 0.
    /// </summary>
    /// <param name="seed">Of whatever chance the network has (dropout).</param>
    /// <param name="finished">Called as the backward pass goes: from this offset on, <paramref name="into"/> is final. Not called with 0.</param>
    public Tally TrainLeaf(Batch batch, ulong seed, FlatBuffer into, Action<long>? finished = null)
    {
        using var scope = NewDisposeScope();
        using var generator = manual_seed((long)seed);
        OneDnn.Use(_usesOneDnn);
        Bind(into);
        into.Clear();
        SetTraining(true);

        var segments = finished is null ? null : new SegmentedBackward();
        var logits = Logits(batch, segments);
        var loss = _network.SummedLoss(logits, batch);
        if (segments is null) { loss.backward(); }
        else { segments.Run(loss, layer => finished!(_begins[layer])); }
        return _network.Score(logits, loss, batch);
    }

    /// <summary>Forward alone, without chance: running statistics of <see cref="Theta"/>, no dropout.</summary>
    public Tally EvaluateLeaf(Batch batch)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        OneDnn.Use(_usesOneDnn);
        SetTraining(false);

        var logits = Logits(batch);
        return _network.Score(logits, _network.SummedLoss(logits, batch), batch);
    }

    public void Dispose()
    {
        foreach (var (norm, _, _) in _norms) { Unbind(norm); }
        _network.Dispose();
        Theta.Dispose();
    }

    /// <summary>[n · T, classes] or [n, classes], float32.</summary>
    private Tensor Logits(Batch batch, SegmentedBackward? segments = null)
    {
        _network.Segments = segments;
        using var _ = new Autocast(_precision, _device.type);
        return _network.Logits(batch.Inputs).flatten(0, -2).to(ScalarType.Float32);
    }

    /// <summary>
    /// Points gradients and leaf statistics at <paramref name="buffer"/>. Costs a few microseconds a tensor, much less than
    /// copying a gradient, and nothing where the same buffer comes again.
    /// </summary>
    private void Bind(FlatBuffer buffer)
    {
        if (ReferenceEquals(buffer, _bound)) { return; }
        foreach (var (parameter, segment) in _parameters) { parameter.grad = buffer.View(segment); }
        foreach (var (norm, mean, variance) in _norms)
        {
            Unbind(norm);
            norm.LeafStatistics = (Alias(buffer, mean), Alias(buffer, variance));
        }

        _bound = buffer;
    }

    private static void Unbind(BatchNorm norm)
    {
        norm.LeafStatistics?.Mean.Dispose();
        norm.LeafStatistics?.Variance.Dispose();
        norm.LeafStatistics = null;
    }

    /// <summary>
    /// Moves a tensor into the buffer, value included. <c>set_</c> keeps the object, so module and autograd go on using it.
    /// </summary>
    private static void Become(Tensor tensor, FlatBuffer buffer, Segment segment)
    {
        using var _ = no_grad();
        using var view = buffer.View(segment);
        view.copy_(tensor);
        tensor.set_(view);
    }

    /// <summary>
    /// A view with a version of its own. Views made by <c>narrow</c> share the version of their buffer: a batch normalisation
    /// that writes its statistics would then spoil, in autograd's eyes, those that every other one has saved.
    /// </summary>
    private static Tensor Alias(FlatBuffer buffer, Segment segment)
    {
        using var view = buffer.View(segment);
        return empty(0, device: buffer.Tensor.device).set_(view).DetachFromDisposeScope();
    }

    private void SetTraining(bool training)
    {
        if (_network.training != training) { _network.train(training); }
    }
}
