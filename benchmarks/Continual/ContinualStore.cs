using System.Collections.Immutable;
using System.Globalization;
using Cluster.Contracts.Lineage;

namespace Cluster.Benchmarks.Continual;

/// <summary>
/// The table in a folder: <c>cells.csv</c> has a line for each finished cell, <c>evaluations.csv</c> one for each evaluation of a data
/// set in it.
/// </summary>
internal sealed class ContinualStore
{
    private const string EvaluationColumns = "round,kind,stage,release,step,branchStep,isStageEnd,set,loss,accuracy";

    private readonly string _cells;
    private readonly string _evaluations;

    public ContinualStore(string folder)
    {
        Directory.CreateDirectory(folder);
        (_cells, _evaluations) = (Path.Combine(folder, "cells.csv"), Path.Combine(folder, "evaluations.csv"));
    }

    /// <summary>Finished cells in the order in which they were run, and their evaluations.</summary>
    public IReadOnlyList<ContinualResult> Read()
    {
        var evaluations = CsvTable.Read(_evaluations).ToLookup(c => ContinualCell.Parse(c));
        return
        [
            .. from c in CsvTable.Read(_cells)
               let cell = ContinualCell.Parse(c)
               select new ContinualResult(cell, Records(evaluations[cell].Select(line => line[4..])), double.Parse(c[4], CultureInfo.InvariantCulture)),
        ];
    }

    /// <summary>The evaluations first: a cell that has its line is whole.</summary>
    public void Add(ContinualResult result)
    {
        CsvTable.Append(_evaluations, $"{ContinualCell.Columns},{EvaluationColumns}", from record in result.Evaluations from score in record.Scores select Line(result.Cell, record, score.Key, score.Value));
        CsvTable.Append(_cells, $"{ContinualCell.Columns},seconds", [string.Create(CultureInfo.InvariantCulture, $"{result.Cell},{result.Seconds:F1}")]);
    }

    private static string Line(ContinualCell cell, EvaluationRecord record, string set, SetScore score)
    {
        var node = record.Node!;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{cell},{record.Round},{node.Kind},{node.Stage},{node.Release},{node.Step},{node.BranchStep},{node.IsStageEnd},{set},{score.Loss:G8},{score.Accuracy:G6}");
    }

    /// <summary>Twice the same round: the process ended between the two files, and the cell was run again.</summary>
    private static EvaluationRecord[] Records(IEnumerable<string[]> lines) =>
        [.. from line in lines group line by Whole(line[0]) into round orderby round.Key select Record(round.Key, [.. round])];

    private static EvaluationRecord Record(long round, string[][] lines)
    {
        var c = lines[^1];
        var node = new LineageNode(Enum.Parse<NodeKind>(c[1]), c[2], c[3].Length > 0 ? c[3] : null, Whole(c[4]), Whole(c[5]), Tokens: 0, bool.Parse(c[6]), Origin: null);
        var scores = lines.GroupBy(line => line[7]).ToImmutableSortedDictionary(set => set.Key, set => Score(set.Last()));
        return new EvaluationRecord(round, SamplesSeen: 0, node, scores);
    }

    private static SetScore Score(string[] c) => new(double.Parse(c[8], CultureInfo.InvariantCulture), double.Parse(c[9], CultureInfo.InvariantCulture), Weight: 0);

    private static long Whole(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
