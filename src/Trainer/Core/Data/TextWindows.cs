using Cluster.Contracts;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// Text cut into windows of equal length, end to end: sample i begins at byte i T. Tokens are bytes; what is over at the end
/// is left out.
/// </summary>
internal abstract class TextWindows : IDataSet
{
    /// <summary>Tokens of plain text: the values of a byte.</summary>
    public const int Bytes = 256;

    private readonly byte[] _text;
    private readonly int _span;

    /// <param name="text">One split of the text.</param>
    /// <param name="sequence">T: tokens in a window.</param>
    /// <param name="span">Bytes that a sample looks at: T, or T + 1 with the byte that follows.</param>
    /// <param name="source">Names the text in messages.</param>
    /// <exception cref="BadInputException">The text is shorter than one window.</exception>
    protected TextWindows(byte[] text, int sequence, int span, string source)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sequence);
        Count = text.Length < span ? 0 : (text.Length - span) / sequence + 1;
        if (Count == 0)
        {
            throw new BadInputException(
                $"{source} has {text.Length:N0} bytes, less than one window of {span:N0}{(span > sequence ? $" (sequence {sequence:N0} and the byte after it)" : "")}. Give more text, a shorter sequence or another evaluationShare.");
        }

        (_text, Sequence, _span) = (text, sequence, span);
        InputShape = [sequence];
    }

    public long Count { get; }

    public IReadOnlyList<long> InputShape { get; }

    public int Classes => Bytes;

    /// <summary>T.</summary>
    protected int Sequence { get; }

    public Batch Gather(ReadOnlySpan<long> samples, ulong seed, Device device)
    {
        var inputs = TensorMemory.Allocate(ScalarType.Int64, samples.Length, Sequence);  // [n, T]
        var targets = TensorMemory.Allocate(ScalarType.Int64, samples.Length, Sequence); // [n, T]
        var tokens = TensorMemory.Elements<long>(inputs);
        var wanted = TensorMemory.Elements<long>(targets);
        for (var i = 0; i < samples.Length; i++)
        {
            var sample = samples[i];
            ArgumentOutOfRangeException.ThrowIfNegative(sample, nameof(samples));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sample, Count, nameof(samples));

            var bytes = _text.AsSpan((int)sample * Sequence, _span);
            Fill(bytes, sample, seed, tokens.Slice(i * Sequence, Sequence), wanted.Slice(i * Sequence, Sequence));
        }

        return new Batch(TensorMemory.MoveTo(inputs, device), TensorMemory.MoveTo(targets, device), samples.Length);
    }

    /// <summary>Writes every token and target ([T] each) of one sample.</summary>
    protected abstract void Fill(ReadOnlySpan<byte> bytes, long sample, ulong seed, Span<long> tokens, Span<long> targets);
}

/// <summary>Windows for a causal model: at every place the target is the next byte.</summary>
internal sealed class CausalWindows(byte[] text, int sequence, string source) : TextWindows(text, sequence, sequence + 1, source)
{
    protected override void Fill(ReadOnlySpan<byte> bytes, long sample, ulong seed, Span<long> tokens, Span<long> targets)
    {
        for (var t = 0; t < tokens.Length; t++)
        {
            tokens[t] = bytes[t];
            targets[t] = bytes[t + 1];
        }
    }
}
