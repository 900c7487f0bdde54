using System.Text;
using System.Text.RegularExpressions;

namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>
/// How GPT-2 prepares text for byte-level BPE ("Language Models are Unsupervised Multitask Learners", Radford et al. 2019,
/// section 2.2, and the encoder that was released with it): it is cut into pieces, over whose ends nothing is merged, and each
/// byte of a piece is shown as one printable character.
/// </summary>
internal static partial class BytePieces
{
    /// <summary>Throws at what is not UTF-8, where the default would put replacement characters.</summary>
    public static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Byte to character: the printable bytes of Latin-1 are themselves, the others follow from U+0100 on.</summary>
    private static readonly char[] s_characters = Characters();
    private static readonly Dictionary<char, byte> s_bytes = s_characters.Index().ToDictionary(c => c.Item, c => (byte)c.Index);

    /// <summary>
    /// The released pattern. Letters outside of the basic plane count as signs here, since .NET matches UTF-16 units; every
    /// character is in exactly one piece all the same.
    /// </summary>
    [GeneratedRegex(@"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    public static partial Regex Pattern();

    public static char Shown(byte value) => s_characters[value];

    public static string Shown(string piece) => string.Create(Encoding.UTF8.GetByteCount(piece), piece, static (into, piece) =>
    {
        var bytes = Encoding.UTF8.GetBytes(piece);
        for (var i = 0; i < bytes.Length; i++) { into[i] = s_characters[bytes[i]]; }
    });

    /// <summary>The bytes that a token stands for; null when a character is no byte's.</summary>
    public static byte[]? BytesOf(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            if (!s_bytes.TryGetValue(token[i], out bytes[i])) { return null; }
        }

        return bytes;
    }

    private static char[] Characters()
    {
        var characters = new char[256];
        var next = (char)256;
        for (var b = 0; b < 256; b++) { characters[b] = b is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174 ? (char)b : next++; }
        return characters;
    }
}
