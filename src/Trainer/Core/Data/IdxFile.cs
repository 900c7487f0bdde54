using System.Buffers.Binary;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// The IDX format of MNIST (LeCun, Cortes and Burges): a big-endian header (magic number, count, then the other extents),
/// then one byte an element.
/// </summary>
internal static class IdxFile
{
    private const uint ImageMagic = 0x00000803; // Unsigned bytes, three extents.
    private const uint LabelMagic = 0x00000801; // Unsigned bytes, one extent.

    /// <summary>[count, rows, columns], row by row.</summary>
    /// <exception cref="BadInputException">The file is not exactly such a file.</exception>
    public static byte[] ReadImages(string path, int rows, int columns)
    {
        using var file = DataFile.Open(path);
        var (count, extents) = ReadHeader(file, ImageMagic, extents: 2);
        if (extents[0] != rows || extents[1] != columns)
        {
            throw file.Bad($"holds images of {extents[0]}x{extents[1]} pixels; {rows}x{columns} expected");
        }

        return ReadBody(file, "images", count, rows * columns, headerBytes: 16);
    }

    /// <summary>[count], each below <paramref name="classes"/>.</summary>
    /// <exception cref="BadInputException">The file is not exactly such a file.</exception>
    public static byte[] ReadLabels(string path, int classes)
    {
        using var file = DataFile.Open(path);
        var (count, _) = ReadHeader(file, LabelMagic, extents: 0);
        var labels = ReadBody(file, "labels", count, elementBytes: 1, headerBytes: 8);
        var wrong = labels.AsSpan().IndexOfAnyExceptInRange((byte)0, (byte)(classes - 1));
        return wrong < 0 ? labels : throw file.Bad($"has label {labels[wrong]} at index {wrong:N0}; labels are 0 to {classes - 1}");
    }

    private static (uint Count, uint[] Extents) ReadHeader(DataFile file, uint magic, int extents)
    {
        var header = new byte[4 * (2 + extents)];
        var read = file.Read(header);
        var found = BinaryPrimitives.ReadUInt32BigEndian(header);
        if (read >= 4 && found != magic)
        {
            var kind = found switch { ImageMagic => " (IDX images)", LabelMagic => " (IDX labels)", _ => "" };
            throw file.Bad($"begins with 0x{found:x8}{kind}; 0x{magic:x8} (IDX {(magic == ImageMagic ? "images" : "labels")}) expected");
        }

        if (read < header.Length) { throw file.Bad($"is cut off: its header has {read} of {header.Length} bytes"); }

        var values = header.Chunk(4).Select(part => BinaryPrimitives.ReadUInt32BigEndian(part)).ToArray();
        return (values[1], values[2..]);
    }

    private static byte[] ReadBody(DataFile file, string what, uint count, int elementBytes, int headerBytes)
    {
        var length = (long)count * elementBytes;
        var expected = headerBytes + length;
        if (count == 0) { throw file.Bad($"holds no {what}"); }
        if (length > Array.MaxLength) { throw file.Bad($"announces {count:N0} {what}; at most {Array.MaxLength / elementBytes:N0} fit in memory"); }

        // Checked before the memory is taken: a damaged count must not cost gigabytes.
        if (expected > file.MaxBytes)
        {
            throw file.Bad($"is cut off: {count:N0} {what} take {expected:N0} bytes, it cannot hold more than {file.MaxBytes:N0}");
        }

        var body = new byte[length];
        var read = file.Read(body);
        if (read < length) { throw file.Bad($"is cut off: {count:N0} {what} take {expected:N0} bytes, it ends after {headerBytes + read:N0}"); }

        file.ExpectEnd(expected);
        return body;
    }
}
