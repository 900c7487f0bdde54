using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.State;

/// <summary>
/// One contiguous float32 vector on one device: parameters, gradients, moments, a contribution. On the CPU its memory is
/// 64-byte aligned and can be read and written through <see cref="Pointer"/> and <see cref="Span"/>.
/// </summary>
/// <remarks>Not thread-safe; the training thread owns it. Disposing it frees the memory once no tensor views it any more.</remarks>
internal sealed unsafe class FlatBuffer : IDisposable
{
    public FlatBuffer(long length, Device? device = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        Tensor = torch.empty(length, dtype: ScalarType.Float32, device: device ?? CPU).DetachFromDisposeScope();
        if (IsOnCpu && length > 0)
        {
            using var storage = Tensor.storage<float>();
            _pointer = (float*)storage.data_ptr();
            if ((nint)_pointer % 64 != 0) { throw new InvalidOperationException("libtorch returned memory that is not 64-byte aligned"); }
            HugePages.Advise(_pointer, length * sizeof(float));
        }

        Clear();
    }

    private readonly float* _pointer;

    /// <summary>Elements, padding included.</summary>
    public long Length { get; }

    /// <summary>[Length] float32; views of it alias this buffer.</summary>
    public Tensor Tensor { get; }

    public bool IsOnCpu => Tensor.device_type == DeviceType.CPU;

    /// <summary>The first element.</summary>
    /// <exception cref="InvalidOperationException">The buffer lies on another device than the CPU.</exception>
    public float* Pointer => IsOnCpu ? _pointer : throw new InvalidOperationException($"a buffer on {Tensor.device} has no CPU pointer");

    /// <summary>All elements.</summary>
    /// <exception cref="OverflowException">The buffer has 2^31 elements or more; use <see cref="Pointer"/>.</exception>
    public Span<float> Span => new(Pointer, checked((int)Length));

    /// <summary>A part as a span.</summary>
    public Span<float> Slice(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + length, Length);
        return new Span<float>(Pointer + offset, checked((int)length));
    }

    public void Clear()
    {
        using var _ = no_grad();
        Tensor.zero_().Dispose(); // Unlike copy_ and add_, zero_ returns another handle of the same tensor.
    }

    public void CopyFrom(FlatBuffer source)
    {
        using var _ = no_grad();
        Tensor.copy_(source.Tensor).DetachFromDisposeScope();
    }

    /// <summary>this += other, element by element.</summary>
    public void Add(FlatBuffer other)
    {
        using var _ = no_grad();
        Tensor.add_(other.Tensor).DetachFromDisposeScope();
    }

    public void Dispose() => Tensor.Dispose();
}
