namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>Tokens in a row, read at any place by any thread.</summary>
internal interface ITokenRun
{
    long Length { get; }

    /// <summary>Each token is smaller.</summary>
    int Vocabulary { get; }

    /// <summary>See <see cref="ITokenizer.Sha256"/>.</summary>
    string TokenizerSha256 { get; }

    /// <summary>The tokens from a place on, as many as fit.</summary>
    void Read(long first, Span<long> into);
}

/// <summary>Text in memory, each byte a token.</summary>
internal sealed class ByteRun(byte[] text) : ITokenRun
{
    public long Length => text.Length;

    public int Vocabulary => ByteTokenizer.Count;

    public string TokenizerSha256 => ByteTokenizer.Hash;

    public void Read(long first, Span<long> into)
    {
        var bytes = text.AsSpan((int)first, into.Length);
        for (var i = 0; i < into.Length; i++) { into[i] = bytes[i]; }
    }
}

/// <summary>A part of a run.</summary>
internal sealed class TokenSlice(ITokenRun run, long first, long length) : ITokenRun
{
    public long Length => length;

    public int Vocabulary => run.Vocabulary;

    public string TokenizerSha256 => run.TokenizerSha256;

    public void Read(long at, Span<long> into)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(at + into.Length, length, nameof(at));
        run.Read(first + at, into);
    }
}
