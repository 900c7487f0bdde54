using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// What follows from the layers below the one that learns: made when its training begins, here or after a resume, and kept until
/// the next layer's begins. Those layers do not change any more, so the number of the layer says which it is.
/// </summary>
internal sealed class Frozen<T> : IDisposable where T : class, IDisposable
{
    private int _layer = -1;
    private T? _value;

    /// <param name="make">Keeps its tensors out of the scope it runs in.</param>
    public T Below(int layer, Func<T> make)
    {
        if (_value is not null && layer == _layer) { return _value; }
        _value?.Dispose();
        _value = null;
        using var scope = NewDisposeScope();
        _value = make();
        _layer = layer;
        return _value;
    }

    public void Dispose() => _value?.Dispose();
}
