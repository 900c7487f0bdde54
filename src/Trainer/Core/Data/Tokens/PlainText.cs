namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>
/// A text of any length in parts. It is cut before a space or a line end that follows a printable ASCII character, where no
/// piece of <see cref="BytePieces"/> goes on and none looks ahead: the tokens are those of the text in one.
/// </summary>
internal static class PlainText
{
    private const int BlockBytes = 1 << 20;

    /// <param name="block">Bytes that are read at once; at least 8.</param>
    /// <exception cref="Contracts.BadInputException">The file is missing, empty or damaged.</exception>
    public static IEnumerable<TextPart> Read(string path, int block = BlockBytes)
    {
        using var file = DataFile.Open(path);
        var text = new byte[2 * block];
        var (held, place, ended) = (0, 0L, false);
        while (!ended)
        {
            var read = file.Read(text.AsSpan(held, block));
            held += read;
            ended = read < block;
            var cut = ended ? held : CutOf(text.AsSpan(0, held), held - block);
            if (cut > 0 || ended) { yield return new TextPart(text.AsMemory(0, cut), ended, FormattableString.Invariant($"byte {place:N0}")); }
            text.AsSpan(cut, held - cut).CopyTo(text);
            (held, place) = (held - cut, place + cut);
        }
    }

    /// <summary>Length of what can be given away: up to the last good place; where none leaves room for the next block, up to the end of a character.</summary>
    /// <param name="least">So much has to go.</param>
    private static int CutOf(ReadOnlySpan<byte> text, int least)
    {
        for (var i = text.Length - 1; i >= Math.Max(1, least); i--)
        {
            if (text[i] is (byte)' ' or (byte)'\n' && text[i - 1] is > 0x20 and < 0x7f) { return i; }
        }

        if (least <= 0) { return 0; }
        var end = text.Length;
        while (end > text.Length - 4 && (text[end - 1] & 0xc0) == 0x80) { end--; } // Bytes that continue a character,
        return end - 1;                                                            // and the one that may begin it.
    }
}
