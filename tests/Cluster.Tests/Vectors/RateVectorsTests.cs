using System.Text.Json;
using Cluster.Contracts.Schedules;
using Cluster.Contracts.Spec.Continual;

namespace Cluster.Tests.Vectors;

/// <summary>Learning rates of continual pre-training against values in 60-digit arithmetic; the vectors' README has the formulas.</summary>
public sealed class RateVectorsTests
{
    public static TheoryData<string> Files => [.. VectorFiles.Of("infinitelr").Where(path => Path.GetFileName(path) != "continual-metrics.json")];

    [Theory, MemberData(nameof(Files))]
    public void Every_point_matches(string path)
    {
        var file = JsonDocument.Parse(File.ReadAllText(path)).RootElement;
        var tolerance = file.GetProperty("rel_tolerance").GetDouble();
        var points = file.GetProperty("kind").GetString() == "trunk_and_branches" ? TrunkAndBranches(file) : Schedule(file);
        var compared = 0;
        foreach (var (what, wanted, found) in points)
        {
            Assert.True(Math.Abs(wanted - found) <= tolerance * Math.Abs(wanted), $"{Path.GetFileName(path)}, {what}: wanted {wanted:R}, found {found:R}");
            compared++;
        }

        Assert.InRange(compared, 20, int.MaxValue);
    }

    [Fact]
    public void The_shipped_files_are_all_there() => Assert.InRange(Files.Count, 17, int.MaxValue);

    private static IEnumerable<(string What, double Wanted, double Found)> Schedule(JsonElement file)
    {
        var spec = Spec(file.GetProperty("kind").GetString()!, file.GetProperty("params"));
        foreach (var point in file.GetProperty("points").EnumerateArray())
        {
            var n = point[0].GetDouble();
            yield return ($"n = {n}", point[1].GetDouble(), spec is RateSpec.RepeatedCosine cosine ? InSegment(n, point[3].GetInt32(), cosine) : TrunkRate.At(n, spec, []));
        }
    }

    /// <summary>The files give a number that is an end and a beginning to the segment that begins.</summary>
    private static double InSegment(double n, int index, RateSpec.RepeatedCosine cosine)
    {
        var segment = CosineRate.Segments(cosine, []).ElementAt(index);
        var rate = CosineRate.At(n - segment.Start, segment, cosine.Min);
        if (n > segment.Start) { Assert.Equal(rate, TrunkRate.At(n, cosine, [])); }
        return rate;
    }

    private static IEnumerable<(string What, double Wanted, double Found)> TrunkAndBranches(JsonElement file)
    {
        var values = file.GetProperty("params");
        var trunk = Spec($"infinite_{values.GetProperty("cooldown").GetString()}", values);
        foreach (var point in file.GetProperty("trunk").EnumerateArray())
        {
            yield return ($"trunk {point[0]}", point[2].GetDouble(), TrunkRate.At(point[0].GetDouble(), trunk, []));
        }

        foreach (var branch in file.GetProperty("branches").EnumerateArray())
        {
            var (from, length) = (TrunkRate.At(branch.GetProperty("fork_step").GetDouble(), trunk, []), branch.GetProperty("n_branch").GetDouble());
            yield return ("fork", branch.GetProperty("eta_at_fork").GetDouble(), from);
            foreach (var point in branch.GetProperty("points").EnumerateArray())
            {
                yield return ($"branch of {branch.GetProperty("fork_step")}, {point[0]}", point[1].GetDouble(), Annealing.Rate(point[0].GetDouble() / length, from, values.GetProperty("eta_min").GetDouble(), AnnealTail.Exponential));
            }
        }
    }

    private static RateSpec Spec(string kind, JsonElement values)
    {
        double Number(string name) => values.GetProperty(name).GetDouble();
        double? Maybe(string name) => values.TryGetProperty(name, out var value) ? value.GetDouble() : null;

        return kind switch
        {
            "cosine" => new RateSpec.Cosine { Max = Number("eta_max"), Min = Number("eta_min"), WarmupEnd = Number("n_warmup"), End = Number("n_end") },
            "repeated_cosine" => new RateSpec.RepeatedCosine
            {
                Max = 1,
                Min = Number("eta_min"),
                RewarmFrom = Number("eta_rewarm_from"),
                Segments = [.. values.GetProperty("segments").EnumerateArray().Select(s => new CosineSegmentSpec
                {
                    Length = s.GetProperty("length").GetDouble(), Max = s.GetProperty("eta_max").GetDouble(), Warmup = s.GetProperty("n_warmup").GetDouble(),
                })],
            },
            "wsd" => new RateSpec.WarmupStableDecay
            {
                Max = Number("eta_max"), Min = Number("eta_min"), WarmupEnd = Number("n_warmup"), DecayStart = Number("n_decay_start"), End = Number("n_end"),
                Tail = values.GetProperty("decay").GetString() switch
                {
                    "linear" => AnnealTail.Linear,
                    "cosine" => AnnealTail.Cosine,
                    "one_minus_sqrt" => AnnealTail.OneMinusSqrt,
                    "half_life" => AnnealTail.HalfLife,
                    "geometric" => AnnealTail.Exponential,
                    var other => throw new NotSupportedException(other),
                },
            },
            _ => new RateSpec.Infinite
            {
                Max = Number("eta_max"), Constant = Number("eta_const"), Min = Number("eta_min"),
                WarmupEnd = Number("n_warmup"), CooldownEnd = Number("n_cooldown_end"), AnnealStart = Maybe("n_anneal_start"), End = Maybe("n_end"),
                Timescale = Maybe("alpha") ?? 10,
                Cooldown = kind switch
                {
                    "infinite_cosine" => CooldownKind.Cosine,
                    "infinite_inverse_sqrt" => CooldownKind.InverseSqrt,
                    "infinite_linear" => CooldownKind.Linear,
                    _ => throw new NotSupportedException(kind),
                },
            },
        };
    }
}
