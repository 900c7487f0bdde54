using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>
/// An update rule whose elements do not see one another. A part of the parameters can be updated by itself, with a rate, a decay
/// and a count of its own, and comes out bit for bit as when all of them are updated together.
/// </summary>
internal interface IElementwiseOptimizer : IOptimizer
{
    /// <summary>One update of the tensors of a part; the other tensors and their moments stay as they are.</summary>
    /// <param name="t">Number of this update of this part, from 1.</param>
    void Step(in Part part, FlatBuffer theta, FlatBuffer gradient, double scale, double learningRate, long t);
}

/// <summary>A run of whole tensors in the flat buffer, such as one layer.</summary>
/// <param name="Decay">λ of its decayed tensors; null for the optimiser's own.</param>
internal readonly record struct Part(long Offset, long Length, double? Decay = null)
{
    public long End => Offset + Length;

    /// <summary>All parameters of a layout.</summary>
    public static Part All(Layout layout) => new(0, layout.ParameterLength);

    /// <summary>The parameters whose names begin with <paramref name="prefix"/>, which lie side by side.</summary>
    public static Part Named(Layout layout, string prefix, double? decay = null)
    {
        var first = layout.Parameters.First(segment => segment.Name.StartsWith(prefix, StringComparison.Ordinal));
        var next = layout.Parameters.SkipWhile(segment => segment != first).FirstOrDefault(segment => !segment.Name.StartsWith(prefix, StringComparison.Ordinal));
        return new(first.Offset, (next?.Offset ?? layout.ParameterLength) - first.Offset, decay);
    }
}
