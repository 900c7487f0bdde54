using System.Collections.Immutable;

namespace Cluster.Trainer.Core.State;

/// <summary>One named tensor inside a flat buffer.</summary>
/// <param name="Name">As the model names it, for example <c>blocks.0.qkv.weight</c>.</param>
/// <param name="Shape">Row-major extents.</param>
/// <param name="Offset">First element, in floats; a multiple of <see cref="Layout.Alignment"/>.</param>
/// <param name="Length">Number of elements: the product of the shape.</param>
/// <param name="Role">Trained by the optimiser, or a running statistic of the model.</param>
internal sealed record Segment(string Name, ImmutableArray<long> Shape, long Offset, long Length, SegmentRole Role)
{
    public long End => Offset + Length;

    /// <summary>Biases, and the scales and shifts of normalisation: what the papers leave out of decay and adaptation.</summary>
    public bool IsBiasOrNorm => Shape.Length <= 1;
}

internal enum SegmentRole
{
    None = 0,

    /// <summary>A parameter: its slot in a contribution is a gradient (or a delta).</summary>
    Parameter,

    /// <summary>A running statistic (batch normalisation): its slot in a contribution is the leaf's own statistic.</summary>
    Statistic,
}

/// <summary>
/// The table that says which tensor lies where in a flat buffer. Parameters come first, then statistics; every segment begins
/// on a 64-byte boundary. Two workers that build the same model get the same layout, so only floats travel.
/// </summary>
internal sealed class Layout
{
    /// <summary>In floats: 64 bytes, a cache line and the widest vector register.</summary>
    public const int Alignment = 16;

    public Layout(IEnumerable<(string Name, ImmutableArray<long> Shape, SegmentRole Role)> tensors)
    {
        var offset = 0L;
        var segments = ImmutableArray.CreateBuilder<Segment>();
        foreach (var (name, shape, role) in tensors.OrderBy(t => t.Role == SegmentRole.Parameter ? 0 : 1)) // OrderBy is stable.
        {
            var length = shape.Aggregate(1L, (product, extent) => checked(product * extent));
            segments.Add(new Segment(name, shape, offset, length, role));
            offset = checked(offset + (length + Alignment - 1) / Alignment * Alignment);
        }

        Segments = segments.ToImmutable();
        Parameters = [.. Segments.Where(s => s.Role == SegmentRole.Parameter)];
        Statistics = [.. Segments.Where(s => s.Role == SegmentRole.Statistic)];
        Length = offset;
        ParameterLength = Statistics.Length > 0 ? Statistics[0].Offset : offset;
        ParameterCount = Parameters.Sum(s => s.Length);
    }

    public ImmutableArray<Segment> Segments { get; }

    public ImmutableArray<Segment> Parameters { get; }

    public ImmutableArray<Segment> Statistics { get; }

    /// <summary>Floats in a whole buffer, padding included.</summary>
    public long Length { get; }

    /// <summary>Floats in the part that holds parameters, padding included. Gradients and moments are this long or longer.</summary>
    public long ParameterLength { get; }

    /// <summary>Parameters of the model, without padding.</summary>
    public long ParameterCount { get; }
}
