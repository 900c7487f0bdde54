using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.ForwardForward;

internal static class Live
{
    /// <summary>Tensors that somebody holds, after those that nobody holds any more are gone.</summary>
    public static long Tensors()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Tensor.TotalCount;
    }

    /// <summary>The most tensors that an action holds at once, beyond those there were.</summary>
    public static long PeakOf(Action action)
    {
        Tensors();
        var fill = new List<Tensor>(); // The process's peak cannot be set back, so it is risen to.
        while (Tensor.TotalCount < Tensor.PeakCount) { fill.Add(empty(0).DetachFromDisposeScope()); }
        var before = Tensor.TotalCount;
        action();
        foreach (var tensor in fill) { tensor.Dispose(); }
        return Tensor.PeakCount - before;
    }
}
