using Cluster.Contracts;

namespace Cluster.Trainer.Core.Models;

/// <summary>What a model asks of the shape of one sample. Each check throws a <see cref="BadInputException"/> that says what would fit.</summary>
internal static class SampleShape
{
    /// <summary>[channels, height, width] with both sides of at least <paramref name="smallestSide"/> pixels.</summary>
    public static void RequireImage(string model, IReadOnlyList<long> shape, long smallestSide)
    {
        if (shape is [_, var height, var width] && Math.Min(height, width) >= smallestSide) { return; }
        throw new BadInputException(
            $"model: {model} needs images [channels, height, width] of at least {smallestSide}x{smallestSide} pixels; a sample of this data set is {Text(shape)}");
    }

    /// <summary>[T] with T at most <paramref name="context"/>, and a width that the heads divide.</summary>
    public static void RequireTokens(string model, IReadOnlyList<long> shape, int context, int width, int heads)
    {
        if (width % heads != 0)
        {
            throw new BadInputException($"model.heads: the width ({width}) must be a multiple of the heads ({heads})");
        }

        if (shape is not [var tokens])
        {
            throw new BadInputException($"model: {model} needs samples of tokens [T]; a sample of this data set is {Text(shape)}");
        }

        RequireContext(tokens, context);
    }

    /// <summary>Sequences are no longer than the position table.</summary>
    public static void RequireContext(long tokens, long context)
    {
        if (tokens <= context) { return; }
        throw new BadInputException($"model.context: a sequence of {tokens} tokens does not fit a context of {context}; raise the context or shorten the sequence");
    }

    private static string Text(IReadOnlyList<long> shape) => $"[{string.Join(", ", shape)}]";
}
