using System.Runtime.InteropServices;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Native;

/// <summary>
/// bfloat16 arithmetic for the operations inside a <c>using</c>: libtorch casts the operands of matrix products and
/// convolutions, and leaves everything else as it is. Parameters, and so their gradients, stay float32.
/// </summary>
/// <remarks>
/// TorchSharp has no autocast. libtorch exports its switches as C++ functions; these are their names under the Itanium C++ ABI,
/// which Linux and macOS share. The switch belongs to the calling thread. While it is on libtorch keeps the cast copy of every
/// parameter it meets; the copies go on leaving, because the parameters change before the next forward.
/// </remarks>
internal readonly ref partial struct Autocast : IDisposable
{
    private readonly sbyte _device;
    private readonly bool _on;

    /// <exception cref="BadInputException">bfloat16 on Windows, whose libtorch exports the switches under other names.</exception>
    public Autocast(Precision precision, DeviceType device)
    {
        if (precision == Precision.Float32) { return; }
        if (OperatingSystem.IsWindows()) { throw new BadInputException("precision: bFloat16 is not offered on Windows; float32 is"); }

        _device = (sbyte)device; // TorchSharp's numbers for devices and types are c10's.
        _on = true;
        SetDtype(_device, (sbyte)ScalarType.BFloat16);
        SetEnabled(_device, true);
    }

    public void Dispose()
    {
        if (!_on) { return; }
        SetEnabled(_device, false);
        ClearCache();
    }

    [LibraryImport("torch_cpu", EntryPoint = "_ZN2at8autocast18set_autocast_dtypeEN3c1010DeviceTypeENS1_10ScalarTypeE")]
    private static partial void SetDtype(sbyte device, sbyte type);

    [LibraryImport("torch_cpu", EntryPoint = "_ZN2at8autocast20set_autocast_enabledEN3c1010DeviceTypeEb")]
    private static partial void SetEnabled(sbyte device, [MarshalAs(UnmanagedType.U1)] bool on);

    [LibraryImport("torch_cpu", EntryPoint = "_ZN2at8autocast11clear_cacheEv")]
    private static partial void ClearCache();
}
