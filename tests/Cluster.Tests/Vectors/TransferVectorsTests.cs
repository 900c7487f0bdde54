using System.Text.Json;
using Cluster.Contracts.Lineage;

namespace Cluster.Tests.Vectors;

/// <summary>The summary numbers of continual runs, four of them with matrices from the paper's table 2.</summary>
public sealed class TransferVectorsTests
{
    public static TheoryData<string, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int>();
            foreach (var path in VectorFiles.Of("infinitelr").Where(path => Path.GetFileName(path) == "continual-metrics.json"))
            {
                for (var i = 0; i < Read(path).GetProperty("cases").GetArrayLength(); i++) { cases.Add(path, i); }
            }

            return cases;
        }
    }

    [Fact]
    public void The_shipped_cases_are_all_there() => Assert.InRange(Cases.Count, 7, int.MaxValue);

    [Theory, MemberData(nameof(Cases))]
    public void Every_number_matches(string path, int index)
    {
        var file = Read(path);
        var vector = file.GetProperty("cases")[index];
        var isLoss = vector.GetProperty("score").GetString() == "loss";
        var matrix = vector.GetProperty(isLoss ? "L" : "R").EnumerateArray().Select(Numbers).ToArray();
        var scores = TransferScores.Of(matrix, vector.TryGetProperty("b", out var b) ? Numbers(b) : null, isLoss);

        foreach (var expected in vector.GetProperty("expected").EnumerateObject())
        {
            var found = expected.Name switch
            {
                "average_final" => scores.AverageFinal,
                "backward_transfer" or "forgetting" => scores.Backward,
                "forward_transfer" => scores.Forward,
                "forgetting_from_best" => scores.FromBest,
                "diagonal_average" => scores.DiagonalAverage,
                "overall_average" => scores.OverallAverage,
                "overall_backward_transfer" => scores.OverallBackward,
                "overall_forward" => scores.OverallForward,
                "old_average" => scores.OldAverage,
                "remembering" => scores.Remembering,
                var other => throw new NotSupportedException(other),
            };
            Assert.Equal(expected.Value.GetDouble(), found, file.GetProperty("abs_tolerance").GetDouble());
        }
    }

    private static JsonElement Read(string path) => JsonDocument.Parse(File.ReadAllText(path)).RootElement;

    private static double[] Numbers(JsonElement row) => [.. row.EnumerateArray().Select(value => value.GetDouble())];
}
