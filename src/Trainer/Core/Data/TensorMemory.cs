using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// Fills tensors from C# without a call per element or a copy through an array: libtorch allocates, we write its memory.
/// </summary>
internal static class TensorMemory
{
    /// <summary>A new contiguous CPU tensor, not cleared: the caller writes every element of <see cref="Elements{T}"/>.</summary>
    public static Tensor Allocate(ScalarType type, params ReadOnlySpan<long> shape) => empty(shape, dtype: type, device: CPU);

    /// <summary>The elements of a contiguous CPU tensor, row by row. Valid while the tensor lives.</summary>
    /// <exception cref="OverflowException">The tensor has 2 GiB or more.</exception>
    public static Span<T> Elements<T>(Tensor tensor) where T : unmanaged => MemoryMarshal.Cast<byte, T>(tensor.bytes);

    /// <summary>The first element of a contiguous CPU tensor. Valid while the tensor lives.</summary>
    public static unsafe T* Pointer<T>(Tensor tensor) where T : unmanaged
    {
        using var storage = tensor.storage<T>();
        return (T*)storage.data_ptr() + tensor.storage_offset();
    }

    /// <summary>The tensor on <paramref name="device"/>; a CPU tensor that had to be copied is freed.</summary>
    public static Tensor MoveTo(Tensor tensor, Device device)
    {
        if (device.type == DeviceType.CPU) { return tensor; }
        using (tensor) { return tensor.to(device); }
    }
}
