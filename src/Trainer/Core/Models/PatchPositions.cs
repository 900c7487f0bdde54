using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// Where a patch lies in a square image, as numbers that are not learnt (He et al. 2022, appendix A.1; "Attention Is All You Need", section
/// 3.5, for column and row): [sin(xω), cos(xω), sin(yω), cos(yω)] with ω_i = 10000^(-4i/width), i below width / 4.
/// </summary>
/// <remarks>No part of a model's state: a tensor that is a module's own field would be taken for running statistics.</remarks>
internal sealed class PatchPositions : IDisposable
{
    private readonly int _width;
    private Tensor _table; // [across · across, width]

    /// <param name="across">Patches in a row of the image.</param>
    /// <param name="width">A multiple of 4.</param>
    public PatchPositions(int across, int width)
    {
        _width = width;
        var values = new float[across * across * width];
        var quarter = width / 4;
        for (var place = 0; place < across * across; place++)
        {
            for (var i = 0; i < quarter; i++)
            {
                var omega = Math.Pow(10000, -(double)i / quarter);
                var (x, y) = (place % across * omega, place / across * omega);
                var row = values.AsSpan(place * width, width);
                (row[i], row[quarter + i], row[(2 * quarter) + i], row[(3 * quarter) + i]) = ((float)Math.Sin(x), (float)Math.Cos(x), (float)Math.Sin(y), (float)Math.Cos(y));
            }
        }

        _table = tensor(values, [across * across, width]).DetachFromDisposeScope();
    }

    /// <summary>Of places [n, T] (int64) the numbers [n, T, width], where the places are.</summary>
    public Tensor Of(Tensor places)
    {
        if (_table.device != places.device)
        {
            using var elsewhere = _table;
            _table = elsewhere.to(places.device).DetachFromDisposeScope();
        }

        return _table.index_select(0, places.flatten()).view(places.shape[0], places.shape[1], _width);
    }

    public void Dispose() => _table.Dispose();
}
