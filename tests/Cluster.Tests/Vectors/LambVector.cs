using System.Collections.Immutable;
using System.Numerics;
using System.Text.Json;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;

namespace Cluster.Tests.Vectors;

/// <summary>One file of <c>lamb/</c>, as its README describes it.</summary>
internal sealed class LambVector
{
    private static readonly HashSet<string> Understood =
    [
        "betas", "eps", "weight_decay", "bias_correction", "debias_lr", "always_adapt", "max_grad_norm", "trust_clip", "norm_clamp",
        "decoupled_decay", "eps_inside_root", "momentum", "trust_coeff", "dampening", "nesterov",
    ];

    private readonly JsonElement _root;
    private readonly JsonElement _hyper;

    public LambVector(string path)
    {
        _root = JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;
        Assert.Equal("lamb-vectors", _root.GetProperty("format").GetString());
        _hyper = _root.GetProperty("hyper");
        var unknown = _hyper.EnumerateObject().Select(p => p.Name).Where(name => !Understood.Contains(name));
        Assert.True(!unknown.Any(), $"{path} has hyper-parameters that this test does not know: {string.Join(", ", unknown)}");
        Assert.Equal(0, Number("dampening") ?? 0);

        Layout = new Layout(_root.GetProperty("params").EnumerateArray().Select(p =>
            (p.GetProperty("name").GetString()!, p.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64()).ToImmutableArray(), SegmentRole.Parameter)));
        Layers = [.. Layout.Parameters.Select(s => new Layer(s.Name, s.Offset, s.Length, Decay(s.Name), _root.GetProperty("adapted").GetProperty(s.Name).GetBoolean()))];
    }

    public Layout Layout { get; }

    /// <summary>With the decay of the file's groups and its table of who is adapted.</summary>
    public ImmutableArray<Layer> Layers { get; }

    public bool IsLars => _hyper.TryGetProperty("trust_coeff", out _);

    public double? MaxGradNorm => Number("max_grad_norm");

    public double NormClamp => Number("norm_clamp") ?? double.PositiveInfinity;

    public OptimizerSpec Spec => new()
    {
        Kind = IsLars ? OptimizerKind.Lars : OptimizerKind.Lamb,
        Beta1 = IsLars ? 0.9 : _hyper.GetProperty("betas")[0].GetDouble(),
        Beta2 = IsLars ? 0.999 : _hyper.GetProperty("betas")[1].GetDouble(),
        Epsilon = Number("eps"),
        EpsilonInsideRoot = Flag("eps_inside_root") ?? false,
        WeightDecay = Number("weight_decay"),
        Exclude = Layers.Any(layer => layer.Decay != Number("weight_decay")) ? ExclusionSpec.BiasAndNorm : ExclusionSpec.Nothing,
        AdaptWithoutDecay = Flag("always_adapt") ?? false,
        BiasCorrection = Flag("debias_lr") == true ? BiasCorrection.OnLearningRate
            : Flag("bias_correction") == true ? BiasCorrection.Inside
            : BiasCorrection.None,
        WeightDecayMode = Flag("decoupled_decay") == true ? WeightDecayMode.Decoupled : WeightDecayMode.InUpdate,
        NormClamp = Number("norm_clamp") is { } high ? new RangeSpec { High = high } : null,
        RatioClip = Flag("trust_clip") == true ? new RangeSpec { High = 1 } : null,
        Momentum = Number("momentum") ?? 0.9,
        Nesterov = Flag("nesterov") ?? false,
        TrustCoefficient = Number("trust_coeff") ?? 0.001,
    };

    public JsonElement Schedule => _root.GetProperty("schedule");

    public IReadOnlyList<JsonElement> Steps => [.. _root.GetProperty("steps").EnumerateArray()];

    /// <param name="precision"><c>float64</c> or <c>float32</c>.</param>
    public IReadOnlyList<JsonElement> Expected(string precision) => [.. _root.GetProperty("expected").GetProperty(precision).EnumerateArray()];

    public T[] Initial<T>() where T : INumberBase<T> =>
        Flat<T>(name => _root.GetProperty("params").EnumerateArray().Single(p => p.GetProperty("name").GetString() == name).GetProperty("initial"));

    /// <summary>A map of tensors to numbers as one flat vector in the layout.</summary>
    public T[] Flat<T>(JsonElement tensors) where T : INumberBase<T> => Flat<T>(tensors.GetProperty);

    private T[] Flat<T>(Func<string, JsonElement> tensor) where T : INumberBase<T>
    {
        var flat = new T[Layout.ParameterLength];
        foreach (var segment in Layout.Parameters)
        {
            var at = segment.Offset;
            foreach (var value in tensor(segment.Name).EnumerateArray())
            {
                flat[at++] = typeof(T) == typeof(float) ? T.CreateChecked(value.GetSingle()) : T.CreateChecked(value.GetDouble());
            }
        }

        return flat;
    }

    private double Decay(string name) => _root.GetProperty("groups").EnumerateArray()
        .Single(group => group.GetProperty("params").EnumerateArray().Any(p => p.GetString() == name))
        .GetProperty("weight_decay").GetDouble();

    private double? Number(string key) => _hyper.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private bool? Flag(string key) => _hyper.TryGetProperty(key, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;
}
