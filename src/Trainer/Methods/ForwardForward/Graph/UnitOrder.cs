using Cluster.Contracts.Spec;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// In which order the layers learn within a time step, and whether one sees what another has become in it. Their states are kept in a
/// memory of twice as many tensors: those of the last time step, then those of this one.
/// </summary>
internal sealed class UnitOrder(int layers, LayerOrder order)
{
    private readonly int[] _layers = order == LayerOrder.Alternating
        ? [.. Enumerable.Range(0, layers).Where(l => l % 2 == 0), .. Enumerable.Range(0, layers).Where(l => l % 2 == 1)]
        : [.. Enumerable.Range(0, layers)];

    /// <summary>The layer that is the unit's turn.</summary>
    public int LayerOf(int unit) => _layers[unit];

    /// <summary>
    /// Whether the unit that learns sees the state of this time step of another layer. In sequence it does once that one has had its
    /// turn; alternating, the second half sees the first; together nobody does.
    /// </summary>
    public bool SeesFresh(int layer, int unit) => order switch
    {
        LayerOrder.Together => false,
        LayerOrder.Alternating => layer % 2 == 0 && _layers[unit] % 2 == 1,
        _ => layer < _layers[unit],
    };

    /// <summary>Names and shapes of the states, [nodes, outputs] each.</summary>
    public static IReadOnlyList<(string Name, long[] Shape)> Memory(IReadOnlyList<GraphLayer> layers, long nodes) =>
        [.. ((string[])["last", "fresh"]).SelectMany(when => layers.Select((layer, l) => ($"state.{when}.{l}", (long[])[nodes, layer.Outputs])))];

    /// <summary>A layer's state as the unit sees it.</summary>
    public Tensor StateOf(int layer, int unit, IReadOnlyList<Tensor> memory) => memory[SeesFresh(layer, unit) ? layers + layer : layer];

    /// <summary>The unit's layer has a new state; with the last unit the time step is over.</summary>
    public void Remember(int unit, Tensor state, IReadOnlyList<Tensor> memory)
    {
        memory[layers + LayerOf(unit)].copy_(state);
        if (unit < layers - 1) { return; }
        for (var l = 0; l < layers; l++) { memory[l].copy_(memory[layers + l]); }
    }
}
