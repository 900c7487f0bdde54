using System.Runtime.InteropServices;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Native;

/// <summary>
/// How libtorch runs TorchScript. Left alone, it watches a module's first run and rewrites its graph for the later ones, with other
/// kernels and other formulas for gradients: the same leaf then gives other bits as a worker's first and as its second. Without that it
/// runs every operation as it stands, each time.
/// </summary>
internal static partial class ScriptExecution
{
    /// <summary>For the calling thread, to which the switch belongs; costs nanoseconds.</summary>
    /// <exception cref="BadInputException">On Windows, whose libtorch exports the switch under another name.</exception>
    public static void RunAsWritten()
    {
        if (OperatingSystem.IsWindows()) { throw new BadInputException("model.kind: torchscript is not offered on Windows"); }
        SetOptimize(on: false);
    }

    // void torch::jit::setGraphExecutorOptimize(bool)
    [LibraryImport("torch_cpu", EntryPoint = "_ZN5torch3jit24setGraphExecutorOptimizeEb")]
    private static partial void SetOptimize([MarshalAs(UnmanagedType.U1)] bool on);
}
