using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>Passes that are made once and used in every update: one for each leaf that this worker computes.</summary>
internal sealed class PassCache : IDisposable
{
    private readonly Dictionary<(int First, int Count), ILayerPass> _passes = [];

    /// <summary>The pass over some samples, named by the first and their count.</summary>
    public ILayerPass Of(int first, int count, Func<ILayerPass> make)
    {
        if (_passes.TryGetValue((first, count), out var known)) { return known; }
        using var scope = NewDisposeScope();
        return _passes[(first, count)] = make().Keep();
    }

    public void Dispose()
    {
        foreach (var pass in _passes.Values) { pass.Dispose(); }
        _passes.Clear();
    }
}
