using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>Text to tokens and back. One thread at a time.</summary>
internal interface ITokenizer
{
    /// <summary>Tokens are 0 to this number less one.</summary>
    int Vocabulary { get; }

    /// <summary>Names it beyond doubt, 64 lower-case hex digits: equal hashes give equal tokens.</summary>
    string Sha256 { get; }

    /// <summary>The token that ends a document; null where there is none.</summary>
    int? EndOfText { get; }

    /// <param name="text">UTF-8.</param>
    /// <param name="into">Its tokens are added here.</param>
    /// <exception cref="System.Text.DecoderFallbackException">It is not UTF-8, and this tokenizer needs that.</exception>
    void Encode(ReadOnlySpan<byte> text, List<int> into);

    /// <summary>What a token stands for; a character may lie in several.</summary>
    ReadOnlySpan<byte> BytesOf(int token);
}

/// <summary>Each byte is a token: any text, and no file.</summary>
internal sealed class ByteTokenizer : ITokenizer
{
    public const string Name = "bytes";

    /// <summary>The values of a byte.</summary>
    public const int Count = 256;

    /// <summary>Of the name, in place of files.</summary>
    public static string Hash { get; } = Convert.ToHexStringLower(SHA256.HashData("bytes"u8));

    private static readonly byte[] s_all = [.. Enumerable.Range(0, Count).Select(b => (byte)b)];

    public int Vocabulary => Count;

    public string Sha256 => Hash;

    public int? EndOfText => null;

    public void Encode(ReadOnlySpan<byte> text, List<int> into)
    {
        var count = into.Count;
        CollectionsMarshal.SetCount(into, count + text.Length);
        var tokens = CollectionsMarshal.AsSpan(into)[count..];
        for (var i = 0; i < text.Length; i++) { tokens[i] = text[i]; }
    }

    public ReadOnlySpan<byte> BytesOf(int token) => s_all.AsSpan(token, 1);
}
