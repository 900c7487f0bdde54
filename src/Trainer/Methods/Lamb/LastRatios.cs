using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.Lamb;

/// <summary>What the newest step has multiplied each layer's update by; it stays on the device until somebody asks.</summary>
internal sealed class LastRatios : IDisposable
{
    private Tensor? _q; // [layers] float64

    public void Keep(Tensor q)
    {
        _q?.Dispose();
        _q = q.DetachFromDisposeScope();
    }

    /// <summary>By layer; waits for the device.</summary>
    /// <exception cref="InvalidOperationException">There was no step yet.</exception>
    public double[] Read()
    {
        using var onCpu = (_q ?? throw new InvalidOperationException("there was no step yet")).cpu();
        return onCpu.data<double>().ToArray();
    }

    public void Dispose() => _q?.Dispose();
}
