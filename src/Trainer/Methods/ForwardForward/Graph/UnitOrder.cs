using Cluster.Contracts.Spec;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>In which order the layers learn within a time step, and whether one sees what another has become in it.</summary>
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
}
