using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>
/// An update rule over flat buffers. It owns its moments, and nothing else about training: its state is the moments and the
/// <c>t</c> it is given. Padding between tensors is zero in every buffer and stays zero.
/// </summary>
internal interface IOptimizer : IDisposable
{
    /// <summary>Moments by name (<c>m</c>, <c>v</c> or <c>momentum</c>), each of the layout's parameter length.</summary>
    IReadOnlyList<(string Name, FlatBuffer Buffer)> Moments { get; }

    /// <summary>
    /// One update of the parameters in <paramref name="theta"/>.
    /// </summary>
    /// <param name="theta">θ, [≥ ParameterLength]; only parameter segments are written.</param>
    /// <param name="gradient">The sum of gradients; the mean is <paramref name="scale"/> times it. May be overwritten.</param>
    /// <param name="scale">1 / weight, times the clip's factor where it acts.</param>
    /// <param name="learningRate">η of this update.</param>
    /// <param name="t">Number of this update, from 1, as the bias correction counts.</param>
    void Step(FlatBuffer theta, FlatBuffer gradient, double scale, double learningRate, long t);

    /// <summary>
    /// The factors of the last step, of the layers that are adapted, in the layout's order; empty for rules without. Reads what the step has
    /// left and changes nothing; on a GPU it waits for the device.
    /// </summary>
    IReadOnlyList<LayerRatio> Ratios() => [];
}

/// <summary>What a layer-wise rule has multiplied the update of a layer by.</summary>
/// <param name="Layer">Its name, as in <see cref="Optimizers.Layer"/>.</param>
internal readonly record struct LayerRatio(string Layer, double Ratio);
