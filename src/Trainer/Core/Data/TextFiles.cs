using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data;

/// <summary>Plain text: the files' bytes joined in the order given, the last share of them kept for evaluation.</summary>
internal static class TextFiles
{
    private const string Ending = ".txt";

    /// <summary>The files of a folder that end in <c>.txt</c>, in the ordinal order of their names; those in folders within it are none.</summary>
    /// <exception cref="BadInputException">There is none, or the folder cannot be read.</exception>
    public static IReadOnlyList<string> In(string folder)
    {
        try
        {
            string[] files = [.. Directory.EnumerateFiles(folder).Where(file => file.EndsWith(Ending, StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal)];
            return files.Length > 0 ? files : throw new BadInputException($"{folder} has no file that ends in {Ending}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{folder} cannot be read: {e.Message}");
        }
    }

    /// <summary>One split. Only its bytes are read and held.</summary>
    /// <exception cref="BadInputException">A file is missing, empty, gzip or not readable, or the split is too large for memory.</exception>
    public static byte[] Read(IReadOnlyList<string> paths, double evaluationShare, DataSplit split)
    {
        var lengths = paths.Select(Length).ToArray();
        var (first, end) = Part(lengths.Sum(), evaluationShare, split);
        if (end - first > Array.MaxLength)
        {
            throw new BadInputException($"text of {end - first:N0} bytes is too large: one split holds at most {Array.MaxLength:N0}");
        }

        var text = new byte[end - first];
        var start = 0L; // Where the file begins in the joined text.
        for (var i = 0; i < paths.Count; start += lengths[i], i++)
        {
            var from = Math.Max(first, start);
            var to = Math.Min(end, start + lengths[i]);
            if (from < to) { ReadPart(paths[i], from - start, text.AsSpan((int)(from - first), (int)(to - from))); }
        }

        return text;
    }

    /// <summary>Where a split of so many bytes, or tokens, begins and ends.</summary>
    public static (long First, long End) Part(long total, double evaluationShare, DataSplit split)
    {
        // In decimal, so that 0.1 means a tenth and 1 - 0.9 is not a little less.
        var cut = (long)decimal.Floor(total * (1 - (decimal)evaluationShare));
        return split == DataSplit.Train ? (0L, cut) : (cut, total);
    }

    private static long Length(string path)
    {
        using var file = DataFile.Open(path);
        return file.IsGzip ? throw file.Bad("is gzip; text is read as it is, so unpack it first") : file.MaxBytes;
    }

    private static void ReadPart(string path, long offset, Span<byte> into)
    {
        using var file = DataFile.Open(path);
        file.Seek(offset);
        if (file.Read(into) < into.Length) { throw file.Bad("became shorter while it was read"); }
    }
}
