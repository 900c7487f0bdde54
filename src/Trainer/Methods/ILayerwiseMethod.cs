using Cluster.Trainer.Core;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Methods;

/// <summary>
/// A method whose layers learn by themselves: each needs what the layer below hands up, and nothing from above. So a run of layers can
/// be computed apart from the others, and comes out bit for bit as when one worker computes them all.
/// </summary>
internal interface ILayerwiseMethod : IRoundMethod
{
    /// <summary>Whether the job shares out its layers, and not the leaves of a round.</summary>
    bool SharesLayers { get; }

    /// <summary>What each layer costs a sample, from the bottom up, in multiplications.</summary>
    IReadOnlyList<long> LayerCosts { get; }

    /// <summary>Samples of the largest leaf of any round.</summary>
    int LongestLeaf { get; }

    /// <summary>A run of layers by itself. Its state is a part of the method's: buffers and tensors of the same names, not yet filled.</summary>
    ILayerRun Open(LayerRange layers);
}

/// <summary>Consecutive layers, counted from 0 at the bottom.</summary>
/// <param name="Count">May be 0: such a run hands on what it is given.</param>
internal readonly record struct LayerRange(int First, int Count)
{
    public int End => First + Count;
}

/// <summary>
/// Consecutive layers that learn by themselves. For each round: every leaf in order, with the weights before the round, and then the
/// update. The lowest run of a method takes the samples from the data, any other its signals from the run below.
/// </summary>
internal interface ILayerRun : IDisposable
{
    MethodState State { get; }

    /// <summary>Floats in one contribution of these layers.</summary>
    long ContributionLength { get; }

    /// <summary>Floats of the signal that a leaf of so many samples brings from below.</summary>
    long SignalBelow(int samples);

    /// <summary>Floats of the signal that goes up.</summary>
    long SignalAbove(int samples);

    /// <summary>The leaf's contribution over <paramref name="into"/>, with the scalars of these layers; its signal into <paramref name="above"/>.</summary>
    /// <param name="below">Null for the lowest run. May be written over.</param>
    /// <param name="above">Null for the highest run.</param>
    Tally Contribute(long round, Leaf leaf, FlatBuffer? below, FlatBuffer? above, FlatBuffer into);

    /// <inheritdoc cref="IRoundMethod.Update"/>
    RoundResult Update(long round, FlatBuffer sum, in Tally tally);
}
