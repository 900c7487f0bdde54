using System.Globalization;

namespace Cluster.Benchmarks.Continual;

/// <summary>
/// What is to be expected at this size, from runs of another implementation, of the means over the seeds that both schedules have.
/// Each line says what is asked, what was measured, and whether it held.
/// </summary>
internal static class ContinualRelations
{
    public static IEnumerable<string> Of(IReadOnlyList<ContinualResult> results) => ContinualTask.All.SelectMany(task => Of(task, results));

    private static IEnumerable<string> Of(ContinualTask task, IReadOnlyList<ContinualResult> results)
    {
        var plain = Pairs(results, task.Name, ContinualSetting.Plain);
        var replay = Pairs(results, task.Name, ContinualSetting.WithReplay);
        if (plain.Length > 0)
        {
            yield return Line(task, 1, $"no replay: average loss of infinite lower{By(task.AverageMargin)}", Difference(plain, r => r.Final), d => d < -task.AverageMargin, plain.Length);
            yield return Line(task, 2, $"no replay: forgetting of infinite less{By(task.ForgettingMargin)}", Difference(plain, r => r.Forgetting), d => d < -task.ForgettingMargin, plain.Length);
            yield return Line(task, 3, "no replay: current loss of infinite higher", Difference(plain, r => r.Current), d => d > 0, plain.Length);
            yield return Line(task, 4, "no replay: peak of the first data set's loss of infinite lower", Difference(plain, r => r.Peak), d => d < 0, plain.Length);
        }

        if (replay.Length > 0)
        {
            yield return Line(task, 5, "50 % replay: average loss of infinite lower", Difference(replay, r => r.Final), d => d < 0, replay.Length);
            yield return Line(task, 6, "50 % replay: forgetting of infinite less", Difference(replay, r => r.Forgetting), d => d < 0, replay.Length);
        }

        if (plain.Length > 0 && replay.Length > 0)
        {
            var bySchedule = plain.Average(pair => pair.Cosine.Forgetting - pair.Infinite.Forgetting);
            var byReplay = Math.Min(
                plain.Average(pair => pair.Cosine.Forgetting) - replay.Average(pair => pair.Cosine.Forgetting),
                plain.Average(pair => pair.Infinite.Forgetting) - replay.Average(pair => pair.Infinite.Forgetting));
            yield return Line(task, 7, "50 % replay saves both schedules more forgetting than the schedule does", byReplay - bySchedule, d => d > 0, Math.Min(plain.Length, replay.Length));
        }

        double[] gains = [.. results.Where(result => result.Cell.Task == task.Name).SelectMany(result => result.AnnealingGains)];
        if (gains.Length > 0) { yield return Line(task, 8, $"each of {gains.Length} annealings lowers the loss on its own data; the least", gains.Min(), d => d > 0, null); }
    }

    private static (ContinualResult Cosine, ContinualResult Infinite)[] Pairs(IReadOnlyList<ContinualResult> results, string task, string setting) =>
    [
        .. from cosine in results
           where cosine.Cell.Task == task && cosine.Cell.Setting == setting && cosine.Cell.Schedule == ContinualCell.Cosine
           join infinite in results on cosine.Cell with { Schedule = ContinualCell.Infinite } equals infinite.Cell
           select (cosine, infinite),
    ];

    /// <summary>Infinite less cosine.</summary>
    private static double Difference((ContinualResult Cosine, ContinualResult Infinite)[] pairs, Func<ContinualResult, double> value) =>
        pairs.Average(pair => value(pair.Infinite) - value(pair.Cosine));

    private static string By(double margin) => margin > 0 ? FormattableString.Invariant($" by more than {margin}") : "";

    private static string Line(ContinualTask task, int number, string asked, double measured, Func<double, bool> holds, int? seeds) => string.Create(
        CultureInfo.InvariantCulture,
        $"- {task.Name} {number} {(holds(measured) ? "held" : "**did not hold**")}: {asked}; measured {(measured < 0 ? "" : "+")}{measured.ToString(task.Format, CultureInfo.InvariantCulture)}{(seeds is null ? "" : $" over {seeds} seeds")}");
}
