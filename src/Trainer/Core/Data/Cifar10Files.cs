using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// The binary version of CIFAR-10 (Krizhevsky 2009): records of a label byte and 3,072 pixels, red, green and blue planes of
/// 32 rows by 32 columns, without a header.
/// </summary>
internal static class Cifar10Files
{
    public const int Classes = 10;
    public const int Side = 32;
    public const int ImageBytes = 3 * Side * Side;
    private const int RecordBytes = 1 + ImageBytes;

    /// <summary>CIFAR-10 has 60,000 images in all; no file holds more.</summary>
    private const int MaxRecords = 60_000;

    /// <summary>The files' records, one file after the other.</summary>
    /// <returns>Pixels [count, 3, 32, 32] and labels [count].</returns>
    /// <exception cref="BadInputException">A file is not whole records with labels 0 to 9.</exception>
    public static (byte[] Pixels, byte[] Labels) Read(IReadOnlyList<string> paths)
    {
        var files = paths.Select(ReadRecords).ToArray();
        var count = files.Sum(file => file.Length / RecordBytes);
        var pixels = new byte[(long)count * ImageBytes];
        var labels = new byte[count];
        var i = 0;
        foreach (var file in files)
        {
            for (var at = 0; at < file.Length; at += RecordBytes, i++)
            {
                labels[i] = file[at];
                file.AsSpan(at + 1, ImageBytes).CopyTo(pixels.AsSpan(i * ImageBytes));
            }
        }

        return (pixels, labels);
    }

    private static byte[] ReadRecords(string path)
    {
        using var file = DataFile.Open(path);
        var bytes = file.ReadAll(MaxRecords * RecordBytes);
        if (bytes.Length == 0) { throw file.Bad("holds no images"); }
        if (bytes.Length % RecordBytes != 0)
        {
            throw file.Bad($"is cut off or no CIFAR-10 file: {bytes.Length:N0} bytes are not a whole number of records of {RecordBytes:N0}");
        }

        for (var at = 0; at < bytes.Length; at += RecordBytes)
        {
            if (bytes[at] >= Classes) { throw file.Bad($"has label {bytes[at]} in record {at / RecordBytes:N0}; labels are 0 to {Classes - 1}"); }
        }

        return bytes;
    }
}
