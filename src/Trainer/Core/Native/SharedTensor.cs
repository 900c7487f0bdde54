using System.ComponentModel;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Native;

/// <summary>Tensors whose memory is a <see cref="MemoryFile"/>.</summary>
internal static partial class SharedTensor
{
    private const int PROT_READ = 1, PROT_WRITE = 2, MAP_SHARED = 1, MAP_FIXED = 0x10;

    /// <summary>A float32 vector over the beginning of the file; unmapped when no tensor views it any more.</summary>
    /// <remarks>
    /// libtorch maps a file wherever there is room, and unmaps it with the last view. Huge pages have to begin at a multiple of
    /// their size, in the file and in memory. So libtorch maps one huge page more than the vector takes, and the beginning
    /// of the file is mapped once more over those addresses, from the first multiple on: nothing of the lifetime changes.
    /// </remarks>
    /// <exception cref="IOException">The system refuses it.</exception>
    public static Tensor Over(MemoryFile file, long length)
    {
        var bytes = length * sizeof(float);
        using var region = from_file(file.Path, shared: true, length + HugePages.PageSize / sizeof(float), ScalarType.Float32);
        using var storage = region.storage<float>();
        var begin = storage.data_ptr();
        var start = (begin + HugePages.PageSize - 1) / HugePages.PageSize * HugePages.PageSize;
        if (mmap(start, (nuint)bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file.Share.Descriptor, 0) != start)
        {
            throw new IOException($"mmap: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }

        HugePages.Collapse(start, bytes);
        return region.narrow(0, (start - begin) / sizeof(float), length);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint start, nuint length, int protection, int flags, int descriptor, nint offset);
}
