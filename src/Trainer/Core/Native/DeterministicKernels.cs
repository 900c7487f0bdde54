using System.Runtime.InteropServices;

namespace Cluster.Trainer.Core.Native;

/// <summary>
/// Makes libtorch choose deterministic CUDA kernels, or say by name which operation has none. TorchSharp does not offer the
/// switch; libtorch exports it as a C++ member function of its global context.
/// </summary>
internal static partial class DeterministicKernels
{
    /// <summary>Before the first CUDA operation of the process.</summary>
    public static void SwitchOn()
    {
        var context = GlobalContext();
        SetDeterministicAlgorithms(context, enabled: 1, warnOnly: 0);
        SetDeterministicCuDnn(context, enabled: 1);
    }

    // at::Context& at::globalContext()
    [LibraryImport("torch_cpu", EntryPoint = "_ZN2at13globalContextEv")]
    private static partial nint GlobalContext();

    // void at::Context::setDeterministicAlgorithms(bool, bool)
    [LibraryImport("torch_cpu", EntryPoint = "_ZN2at7Context26setDeterministicAlgorithmsEbb")]
    private static partial void SetDeterministicAlgorithms(nint context, byte enabled, byte warnOnly);

    // void at::Context::setDeterministicCuDNN(bool)
    [LibraryImport("torch_cpu", EntryPoint = "_ZN2at7Context21setDeterministicCuDNNEb")]
    private static partial void SetDeterministicCuDnn(nint context, byte enabled);
}
