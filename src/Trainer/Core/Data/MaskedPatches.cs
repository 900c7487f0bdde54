using Cluster.Contracts;
using Cluster.Contracts.Spec;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// Images for a masked autoencoder ("Masked Autoencoders Are Scalable Vision Learners", He et al. 2022, arXiv:2111.06377, section 3):
/// an image is cut into patches, a random order of them is drawn, the first V are seen, and the pixels of the others are to be predicted.
/// </summary>
/// <remarks>
/// <code>
///   inputs    float32 [n, P, 1 + D]    a row for each patch, in the order that was drawn: its place in the image, row by row from 0;
///                                      then its pixels, of a hidden one zeros
///   targets   float32 [n, P - V, D]    pixels of the hidden ones, in the same order:
///                                      as they are, or (pixel - mean) / √(variance + 10⁻⁶) of the patch's own pixels, variance with D - 1
///   patch     D = p·p·C values         row by row, the channels of a pixel side by side
/// </code>
/// Every order is equally likely; chance comes from (seed, sample).
/// </remarks>
internal sealed class MaskedPatches : IDataSet
{
    private const double Epsilon = 1e-6; // As in the authors' code.

    private readonly IDataSet _images;
    private readonly int _channels;
    private readonly int _side;
    private readonly int _patch;
    private readonly int _seen;
    private readonly bool _normalise;

    /// <param name="images">Square ones, [channels, side, side].</param>
    /// <exception cref="BadInputException">The images are not whole patches, or none would be seen or hidden.</exception>
    public MaskedPatches(IDataSet images, ModelSpec.Mae model)
    {
        if (images.InputShape is not [var channels, var side, var width] || side != width || side % model.Patch != 0)
        {
            throw new BadInputException($"model.patch: mae needs square images [channels, side, side] that are whole patches of {model.Patch}x{model.Patch} pixels; a sample of this data set is [{string.Join(", ", images.InputShape)}]");
        }

        (_images, _channels, _side, _patch) = (images, (int)channels, (int)side, model.Patch);
        _normalise = model.Targets == PatchTargets.Normalised;
        _seen = model.Seen(Patches);
        if (_seen == 0 || _seen == Patches)
        {
            throw new BadInputException(FormattableString.Invariant($"model.masked: {model.Masked} leaves {_seen} of {Patches} patches to be seen; some must be seen and some hidden"));
        }

        InputShape = [Patches, 1 + Values];
    }

    public long Count => _images.Count;

    public IReadOnlyList<long> InputShape { get; }

    public int Classes => _images.Classes;

    /// <summary>P.</summary>
    private int Patches => _side / _patch * (_side / _patch);

    /// <summary>D.</summary>
    private int Values => _patch * _patch * _channels;

    public Batch Gather(ReadOnlySpan<long> samples, ulong seed, Device device)
    {
        using var images = _images.Gather(samples, seed, CPU);
        var inputs = TensorMemory.Allocate(ScalarType.Float32, samples.Length, Patches, 1 + Values);
        var targets = TensorMemory.Allocate(ScalarType.Float32, samples.Length, Patches - _seen, Values);
        var pixels = TensorMemory.Elements<float>(images.Inputs);
        var shown = TensorMemory.Elements<float>(inputs);
        var wanted = TensorMemory.Elements<float>(targets);
        var order = new int[Patches];
        for (var i = 0; i < samples.Length; i++)
        {
            Draw(order, new SeededRandom(Seeds.Derive((long)seed, SeedPurpose.Masking, samples[i])));
            var image = pixels.Slice(i * _channels * _side * _side, _channels * _side * _side);
            for (var j = 0; j < order.Length; j++)
            {
                var row = shown.Slice(((i * Patches) + j) * (1 + Values), 1 + Values);
                row[0] = order[j];
                if (j < _seen)
                {
                    Cut(image, order[j], row[1..]);
                    continue;
                }

                row[1..].Clear();
                var target = wanted.Slice(((i * (Patches - _seen)) + j - _seen) * Values, Values);
                Cut(image, order[j], target);
                if (_normalise) { Normalise(target); }
            }
        }

        return new Batch(TensorMemory.MoveTo(inputs, device), TensorMemory.MoveTo(targets, device), samples.Length);
    }

    /// <summary>Fisher and Yates's shuffle.</summary>
    private static void Draw(Span<int> order, SeededRandom random)
    {
        for (var i = 0; i < order.Length; i++) { order[i] = i; }
        for (var i = order.Length - 1; i > 0; i--)
        {
            var other = random.NextInt(i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
    }

    /// <param name="image">[channels, side, side].</param>
    /// <param name="place">Of the patch.</param>
    /// <param name="values">[D], written.</param>
    private void Cut(ReadOnlySpan<float> image, int place, Span<float> values)
    {
        var across = _side / _patch;
        var (top, left) = (place / across * _patch, place % across * _patch);
        for (var y = 0; y < _patch; y++)
        {
            for (var x = 0; x < _patch; x++)
            {
                for (var c = 0; c < _channels; c++) { values[(((y * _patch) + x) * _channels) + c] = image[(((c * _side) + top + y) * _side) + left + x]; }
            }
        }
    }

    private static void Normalise(Span<float> values)
    {
        var (sum, squares) = (0.0, 0.0);
        foreach (var value in values) { sum += value; }
        var mean = sum / values.Length;
        foreach (var value in values) { squares += (value - mean) * (value - mean); }
        var scale = 1 / Math.Sqrt((squares / Math.Max(1, values.Length - 1)) + Epsilon);
        foreach (ref var value in values) { value = (float)((value - mean) * scale); }
    }
}
