using Cluster.Contracts;
using Cluster.Trainer.Core.Data.Tokens;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// Text cut into windows of equal length, end to end: sample i begins at token i T. What is over at the end is left out.
/// </summary>
internal abstract class TextWindows : IDataSet
{
    private readonly ITokenRun _tokens;
    private readonly int _span;

    /// <param name="tokens">One split of the text.</param>
    /// <param name="sequence">T: tokens in a window.</param>
    /// <param name="span">Tokens that a sample looks at: T, or T + 1 with the one that follows.</param>
    /// <param name="source">Names the text in messages.</param>
    /// <exception cref="BadInputException">The text is shorter than one window.</exception>
    protected TextWindows(ITokenRun tokens, int sequence, int span, string source)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sequence);
        Count = tokens.Length < span ? 0 : (tokens.Length - span) / sequence + 1;
        if (Count == 0)
        {
            var (one, many) = tokens is ByteRun ? ("byte", "bytes") : ("token", "tokens");
            throw new BadInputException(
                $"{source} has {tokens.Length:N0} {many}, less than one window of {span:N0}{(span > sequence ? $" (sequence {sequence:N0} and the {one} after it)" : "")}. Give more text, a shorter sequence or another evaluationShare.");
        }

        (_tokens, Sequence, _span) = (tokens, sequence, span);
        InputShape = [sequence];
    }

    public long Count { get; }

    public IReadOnlyList<long> InputShape { get; }

    public int Classes => _tokens.Vocabulary;

    /// <summary>Which tokenizer made the tokens: see <see cref="ITokenizer.Sha256"/>.</summary>
    public string TokenizerSha256 => _tokens.TokenizerSha256;

    /// <summary>T.</summary>
    protected int Sequence { get; }

    public Batch Gather(ReadOnlySpan<long> samples, ulong seed, Device device)
    {
        var inputs = TensorMemory.Allocate(ScalarType.Int64, samples.Length, Sequence);  // [n, T]
        var targets = TensorMemory.Allocate(ScalarType.Int64, samples.Length, Sequence); // [n, T]
        var tokens = TensorMemory.Elements<long>(inputs);
        var wanted = TensorMemory.Elements<long>(targets);
        var window = new long[_span];
        for (var i = 0; i < samples.Length; i++)
        {
            var sample = samples[i];
            ArgumentOutOfRangeException.ThrowIfNegative(sample, nameof(samples));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sample, Count, nameof(samples));

            _tokens.Read(sample * Sequence, window);
            Fill(window, sample, seed, tokens.Slice(i * Sequence, Sequence), wanted.Slice(i * Sequence, Sequence));
        }

        return new Batch(TensorMemory.MoveTo(inputs, device), TensorMemory.MoveTo(targets, device), samples.Length);
    }

    /// <summary>Writes every token and target ([T] each) of one sample.</summary>
    protected abstract void Fill(ReadOnlySpan<long> text, long sample, ulong seed, Span<long> tokens, Span<long> targets);
}

/// <summary>Windows for a causal model: at every place the target is the next token.</summary>
internal sealed class CausalWindows(ITokenRun tokens, int sequence, string source) : TextWindows(tokens, sequence, sequence + 1, source)
{
    protected override void Fill(ReadOnlySpan<long> text, long sample, ulong seed, Span<long> tokens, Span<long> targets)
    {
        text[..^1].CopyTo(tokens);
        text[1..].CopyTo(targets);
    }
}
