using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Vectors;

/// <summary>One case, or a part of one, of a file of <c>forwardforward/</c>: numbers and nested lists by name.</summary>
internal sealed class VectorCase(JsonElement element, string where)
{
    /// <summary>Where a number stands, for messages.</summary>
    public string Where => where;

    public VectorCase Expected => At("expected");

    public static IEnumerable<VectorCase> Of(string file)
    {
        var cases = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement.GetProperty("cases");
        return cases.EnumerateArray().Select((one, i) => new VectorCase(one, $"{Path.GetFileName(file)} case {i}"));
    }

    public bool Has(string name) => element.TryGetProperty(name, out _);

    public VectorCase At(string name) => new(element.GetProperty(name), $"{where} {name}");

    public double Number(string name) => element.GetProperty(name).GetDouble();

    public int Count(string name) => element.GetProperty(name).GetInt32();

    public string Text(string name) => element.GetProperty(name).GetString()!;

    public int[] Whole(string name) => [.. element.GetProperty(name).EnumerateArray().Select(item => item.GetInt32())];

    public (int, int)[] Pairs(string name) => [.. element.GetProperty(name).EnumerateArray().Select(pair => (pair[0].GetInt32(), pair[1].GetInt32()))];

    /// <summary>A nested list as a tensor of its shape.</summary>
    public Tensor Tensor(string name, ScalarType type)
    {
        var (shape, values) = (new List<long>(), new List<double>());
        for (var level = element.GetProperty(name); level.ValueKind == JsonValueKind.Array; level = level[0]) { shape.Add(level.GetArrayLength()); }
        Collect(element.GetProperty(name));
        return tensor(values.ToArray(), shape.ToArray()).to(type);

        void Collect(JsonElement item)
        {
            if (item.ValueKind == JsonValueKind.Number) { values.Add(item.GetDouble()); }
            else { foreach (var inner in item.EnumerateArray()) { Collect(inner); } }
        }
    }
}

/// <summary>Comparisons at the tolerances of the vectors' README: float64 1e-10 + 1e-9·|x|, float32 2e-5 + 2e-4·|x|.</summary>
internal static class VectorAssert
{
    public static void Close(VectorCase expected, string name, Tensor found, double? absolute = null)
    {
        using var scope = NewDisposeScope();
        var single = found.dtype == ScalarType.Float32;
        var wanted = expected.Tensor(name, ScalarType.Float64);
        Assert.True(wanted.shape.SequenceEqual(found.shape), $"{expected.Where} {name}: wanted [{string.Join(", ", wanted.shape)}], found [{string.Join(", ", found.shape)}]");
        var difference = (found.to(ScalarType.Float64) - wanted).abs();
        var allowed = wanted.abs() * (single ? 2e-4 : 1e-9) + (absolute ?? (single ? 2e-5 : 1e-10));
        var worst = (difference - allowed).flatten().argmax().item<long>();
        Assert.True(
            difference.le(allowed).all().item<bool>(),
            $"{expected.Where} {name} ({found.dtype}) element {worst}: wanted {wanted.flatten()[worst].item<double>():R}, found {found.to(ScalarType.Float64).flatten()[worst].item<double>():R}");
    }

    public static void Close(VectorCase expected, string name, double found, ScalarType type)
    {
        var wanted = expected.Number(name);
        var allowed = type == ScalarType.Float32 ? 2e-5 + 2e-4 * Math.Abs(wanted) : 1e-10 + 1e-9 * Math.Abs(wanted);
        Assert.True(Math.Abs(wanted - found) <= allowed, $"{expected.Where} {name} ({type}): wanted {wanted:R}, found {found:R}");
    }
}
