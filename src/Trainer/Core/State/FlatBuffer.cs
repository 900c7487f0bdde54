using Cluster.Trainer.Core.Native;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.State;

/// <summary>Consecutive elements of a flat buffer.</summary>
internal readonly record struct FlatRange(long Offset, long Length);

/// <summary>
/// One contiguous float32 vector on one device: parameters, gradients, moments, a contribution. On the CPU its memory is
/// 64-byte aligned and can be read and written through <see cref="Pointer"/> and <see cref="Span"/>.
/// </summary>
/// <remarks>Not thread-safe; the training thread owns it. Disposing it frees the memory once no tensor views it any more.</remarks>
internal sealed unsafe class FlatBuffer : IDisposable
{
    private readonly float* _pointer;
    private readonly MemoryFile? _file;

    public FlatBuffer(long length, Device? device = null)
        : this(torch.empty(CheckedLength(length), dtype: ScalarType.Float32, device: device ?? CPU), length) => Clear();

    private FlatBuffer(Tensor tensor, long length)
    {
        Length = length;
        Tensor = tensor.DetachFromDisposeScope();
        if (IsOnCpu && length > 0)
        {
            using var storage = Tensor.storage<float>();
            _pointer = (float*)storage.data_ptr() + Tensor.storage_offset();
            if ((nint)_pointer % 64 != 0) { throw new InvalidOperationException("libtorch returned memory that is not 64-byte aligned"); }
            HugePages.Advise(_pointer, length * sizeof(float));
        }
    }

    private FlatBuffer(MemoryFile file, long length)
        : this(SharedTensor.Over(file, length), length)
    {
        _file = file;
        Clear(); // Takes the memory now.
    }

    /// <summary>
    /// A buffer whose memory the peers on this host can open, where the system has such memory; on a GPU, or elsewhere, like
    /// any other. All-reduce reads it in place.
    /// </summary>
    /// <exception cref="IOException">The system refuses it.</exception>
    public static FlatBuffer ForPeers(long length, Device? device = null)
    {
        var isShareable = length > 0 && (device is null || device.type == DeviceType.CPU) && MemoryFile.IsSupported;
        return isShareable ? new FlatBuffer(MemoryFile.Create(length * sizeof(float)), length) : new FlatBuffer(length, device);
    }

    /// <summary>Elements, padding included.</summary>
    public long Length { get; }

    /// <summary>All elements, as a part.</summary>
    public FlatRange Whole => new(0, Length);

    /// <summary>[Length] float32; views of it alias this buffer.</summary>
    public Tensor Tensor { get; }

    /// <summary>Where peers on this host find the memory; null when it is for this process alone.</summary>
    public MemoryShare? Share => _file?.Share;

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

    /// <summary>One tensor of the buffer, in its shape; a view.</summary>
    public Tensor View(Segment segment)
    {
        using var part = Tensor.narrow(0, segment.Offset, segment.Length);
        return part.view([.. segment.Shape]);
    }

    public void Clear()
    {
        using var _ = no_grad();
        Tensor.zero_().Dispose(); // Unlike copy_ and add_, zero_ returns another handle of the same tensor.
    }

    public void CopyFrom(FlatBuffer source) => CopyFrom(source, Whole);

    /// <summary>Copies a part of the source into the same part of this one.</summary>
    public void CopyFrom(FlatBuffer source, FlatRange part)
    {
        using var _ = no_grad();
        using var to = Cut(part);
        using var from = source.Cut(part, Length);
        to.copy_(from);
    }

    /// <summary>this += other, element by element.</summary>
    public void Add(FlatBuffer other) => Add(other, Whole);

    /// <summary>this += other, element by element of a part.</summary>
    public void Add(FlatBuffer other, FlatRange part)
    {
        using var _ = no_grad();
        using var sum = Cut(part);
        using var term = other.Cut(part, Length);
        sum.add_(term, One);
    }

    public void Dispose()
    {
        Tensor.Dispose();
        _file?.Dispose();
    }

    private Tensor Cut(FlatRange part) => Tensor.narrow(0, part.Offset, part.Length);

    private Tensor Cut(FlatRange part, long length) => Length == length
        ? Cut(part)
        : throw new ArgumentException($"a buffer of {Length} elements beside one of {length}");

    private static long CheckedLength(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return length;
    }
}
