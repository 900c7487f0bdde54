using System.Runtime.InteropServices;
using System.Text;

namespace Cluster.Trainer.Core.Native;

/// <param name="Utilization">0 to 1: how much of the last moment kernels ran; NaN where the device does not tell, such as a part of one.</param>
/// <param name="UsedBytes">Of the device's memory, by all processes.</param>
internal readonly record struct GpuReading(double Utilization, long UsedBytes, long TotalBytes);

/// <summary>
/// What NVIDIA's driver tells of one GPU: the library NVML, which comes with the driver. Where it is not there, there is nothing to
/// read, and that is no error.
/// </summary>
/// <remarks>See <see href="https://docs.nvidia.com/deploy/nvml-api/"/>. The library is thread-safe; it is never unloaded.</remarks>
internal sealed unsafe class Nvml
{
    public const string Library = "libnvidia-ml.so.1";

    private const int Success = 0;

    private readonly delegate* unmanaged<nint, Memory*, int> _memory;
    private readonly delegate* unmanaged<nint, Utilization*, int> _utilization;
    private readonly nint _device;

    private Nvml(nint library, nint device)
    {
        _memory = (delegate* unmanaged<nint, Memory*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetMemoryInfo");
        _utilization = (delegate* unmanaged<nint, Utilization*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetUtilizationRates");
        _device = device;
    }

    /// <summary>Null where there is no such library, no such device, or the driver refuses.</summary>
    public static Nvml? Open(VisibleGpu? gpu, string library = Library)
    {
        if (gpu is null || !NativeLibrary.TryLoad(library, out var handle)) { return null; }
        try
        {
            if (((delegate* unmanaged<int>)NativeLibrary.GetExport(handle, "nvmlInit_v2"))() != Success) { return null; }
            nint device;
            if (gpu.Uuid is { } uuid)
            {
                fixed (byte* name = Encoding.ASCII.GetBytes(uuid + '\0'))
                {
                    if (((delegate* unmanaged<byte*, nint*, int>)NativeLibrary.GetExport(handle, "nvmlDeviceGetHandleByUUID"))(name, &device) != Success) { return null; }
                }
            }
            else if (((delegate* unmanaged<uint, nint*, int>)NativeLibrary.GetExport(handle, "nvmlDeviceGetHandleByIndex_v2"))((uint)gpu.Index, &device) != Success) { return null; }

            return new Nvml(handle, device);
        }
        catch (EntryPointNotFoundException)
        {
            return null; // A driver older than these functions.
        }
    }

    /// <summary>Null where the driver does not answer, such as after the device was lost.</summary>
    public GpuReading? Read()
    {
        Memory memory;
        Utilization utilization;
        if (_memory(_device, &memory) != Success) { return null; }
        var isTold = _utilization(_device, &utilization) == Success;
        return new GpuReading(isTold ? utilization.Gpu / 100.0 : double.NaN, (long)memory.Used, (long)memory.Total);
    }

    private struct Memory
    {
        public ulong Total, Free, Used;
    }

    private struct Utilization
    {
        public uint Gpu, Memory; // Percent.
    }
}

/// <summary>The GPU that this process computes on, as <c>CUDA_VISIBLE_DEVICES</c> names it: the first that is visible.</summary>
/// <param name="Index">Among the machine's GPUs in the order of their PCI addresses; CUDA counts so too where <c>CUDA_DEVICE_ORDER=PCI_BUS_ID</c>, or all are alike.</param>
/// <param name="Uuid">In place of the index, where it is named so.</param>
internal sealed record VisibleGpu(int Index, string? Uuid = null)
{
    /// <summary>Null where no GPU is visible.</summary>
    /// <param name="visible">The variable's text; null when it is not set: all are visible.</param>
    public static VisibleGpu? Of(string? visible)
    {
        if (visible is null) { return new VisibleGpu(0); }
        var first = visible.Split(',')[0].Trim();
        if (first.StartsWith("GPU-", StringComparison.Ordinal) || first.StartsWith("MIG-", StringComparison.Ordinal)) { return new VisibleGpu(0, first); }
        return int.TryParse(first, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var index) ? new VisibleGpu(index) : null;
    }
}
