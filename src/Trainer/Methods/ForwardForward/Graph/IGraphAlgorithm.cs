using Cluster.Trainer.Core;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// How the layers of a graph network learn and predict. Holds the graph and whatever follows from it and from weights that no longer
/// change; holds no weights. An update is that of one unit: a layer, or with back-propagation all of them.
/// </summary>
internal interface IGraphAlgorithm : IDisposable
{
    /// <summary>From the bottom up.</summary>
    IReadOnlyList<GraphLayer> Layers { get; }

    /// <summary>Layers in each unit.</summary>
    int LayersPerUnit => 1;

    /// <summary>
    /// All units learn in every time step, one after the other. Otherwise each learns to its end before the next begins.
    /// </summary>
    bool IsCyclic => false;

    /// <summary>Samples of one update: training nodes, or joined pairs.</summary>
    int Samples { get; }

    /// <summary>Tensors beside the weights that a next round depends on, by name and shape.</summary>
    IReadOnlyList<(string Name, long[] Shape)> Memory => [];

    /// <summary>Fills the memory at the beginning of the job.</summary>
    void Begin(IReadOnlyList<LayerTensors> weights, IReadOnlyList<Tensor> memory) { }

    /// <summary>
    /// Adds the gradient of Σ ℓ over some of the samples to the tensors of the unit. The units below have their final weights, unless
    /// learning is cyclic.
    /// </summary>
    /// <param name="gradient">Of all layers; those outside of the unit stay as they are.</param>
    GraphTally Learn(int unit, int first, int count, IReadOnlyList<LayerTensors> weights, IReadOnlyList<Tensor> memory, IReadOnlyList<LayerTensors> gradient);

    /// <summary>Moves the memory on, before the unit's weights change.</summary>
    void Remember(int unit, IReadOnlyList<LayerTensors> weights, IReadOnlyList<Tensor> memory) { }

    /// <summary>How well units 0 to <paramref name="unit"/> predict what is kept for validation: the larger, the better.</summary>
    long Validate(int unit, IReadOnlyList<LayerTensors> weights);

    /// <summary>What <see cref="Validate"/> gives where everything is right.</summary>
    long ValidationTotal { get; }

    /// <summary>The test, as units 0 to <paramref name="unit"/> predict it.</summary>
    Tally Evaluate(int unit, IReadOnlyList<LayerTensors> weights);
}

/// <param name="Inputs">d.</param>
/// <param name="Outputs">h.</param>
internal sealed record GraphLayer(IGraphEncoder Encoder, long Inputs, long Outputs);

/// <summary>Sums over some of the samples of an update.</summary>
/// <param name="Right">Of what the layer alone tells.</param>
/// <param name="Positive">Of goodness, where there is such a thing.</param>
internal readonly record struct GraphTally(double Loss, double Right, double Positive = 0, double Negative = 0);
