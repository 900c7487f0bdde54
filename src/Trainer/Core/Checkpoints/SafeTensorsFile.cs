using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>
/// A safetensors file open for reading. The header is read and checked at once, values only when asked for, so files of any
/// size take little memory.
/// </summary>
internal sealed class SafeTensorsFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly string _path;
    private readonly long _dataStart;

    private SafeTensorsFile(SafeFileHandle handle, string path)
    {
        _handle = handle;
        _path = path;
        FileBytes = RandomAccess.GetLength(handle);
        if (FileBytes < SafeTensorsHeader.PrefixBytes) { throw new InvalidDataException($"the file has {FileBytes} bytes, fewer than its 8-byte prefix"); }

        Span<byte> prefix = stackalloc byte[SafeTensorsHeader.PrefixBytes];
        ReadExactly(prefix, 0);
        var jsonBytes = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (jsonBytes > SafeTensorsHeader.MaxJsonBytes)
        {
            throw new InvalidDataException($"the prefix asks for a header of {jsonBytes:N0} bytes; at most {SafeTensorsHeader.MaxJsonBytes:N0} are allowed");
        }

        _dataStart = SafeTensorsHeader.PrefixBytes + (long)jsonBytes;
        if (_dataStart > FileBytes) { throw new InvalidDataException($"the file ends inside its header of {jsonBytes:N0} bytes"); }

        var json = new byte[jsonBytes];
        ReadExactly(json, SafeTensorsHeader.PrefixBytes);
        Header = SafeTensorsHeader.Parse(json, FileBytes - _dataStart);
    }

    public SafeTensorsHeader Header { get; }

    public long FileBytes { get; }

    /// <exception cref="InvalidDataException">Not a float32 safetensors file; the message names the file and what is wrong.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafeTensorsFile Open(string path)
    {
        var handle = File.OpenHandle(path);
        try
        {
            return new SafeTensorsFile(handle, path);
        }
        catch (InvalidDataException e)
        {
            handle.Dispose();
            throw new InvalidDataException($"{Path.GetFileName(path)}: {e.Message}", e);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Reads the tensor's values from number <paramref name="first"/> on; as many as <paramref name="into"/> holds.</summary>
    public void Read(TensorEntry tensor, long first, Span<float> into)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + into.Length, tensor.Length);
        ReadExactly(MemoryMarshal.AsBytes(into), _dataStart + tensor.Begin + first * sizeof(float));
    }

    private void ReadExactly(Span<byte> into, long offset)
    {
        while (!into.IsEmpty)
        {
            var read = RandomAccess.Read(_handle, into, offset);
            if (read == 0) { throw new InvalidDataException($"{Path.GetFileName(_path)} was cut off while it was read"); }
            into = into[read..];
            offset += read;
        }
    }

    public void Dispose() => _handle.Dispose();
}
