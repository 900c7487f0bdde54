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
}
