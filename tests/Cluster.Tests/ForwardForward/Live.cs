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
}
