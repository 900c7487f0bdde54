using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Trainer.Core.Native;

/// <summary>A file's bytes in the address space of this process, shared with everybody who maps it. Page-aligned.</summary>
internal sealed unsafe class MappedMemory : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    /// <param name="file">Need not stay open.</param>
    /// <param name="bytes">At most the length of the file: an access beyond it would end the process.</param>
    /// <param name="access">Read, or ReadWrite.</param>
    /// <exception cref="ArgumentException">The file is shorter.</exception>
    public MappedMemory(SafeFileHandle file, long bytes, FileAccess access)
    {
        var length = RandomAccess.GetLength(file);
        if (length < bytes) { throw new ArgumentException($"a file of {length} bytes, not {bytes}", nameof(file)); }

        var rights = access == FileAccess.Read ? MemoryMappedFileAccess.Read : MemoryMappedFileAccess.ReadWrite;
        _file = MemoryMappedFile.CreateFromFile(file, mapName: null, length, rights, HandleInheritability.None, leaveOpen: true);
        _view = _file.CreateViewAccessor(0, bytes, rights);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        Start = start;
        Bytes = bytes;
    }

    public byte* Start { get; }

    public long Bytes { get; }

    /// <summary>Unmaps; no pointer into it may be used any more.</summary>
    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
