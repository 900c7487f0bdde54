namespace Cluster.Benchmarks.Continual;

/// <summary>
/// All cells, the most telling first, so that the table says something whenever it is cut off: what the relations need, seed by seed;
/// then the other settings; then four times as many updates; then images, and twice as many updates of these.
/// </summary>
internal static class ContinualTablePlan
{
    private static readonly int[] s_seeds = [1, 2, 3];
    private static readonly string[] s_claims = [ContinualSetting.Plain, ContinualSetting.WithReplay];

    public static IEnumerable<ContinualCell> Cells() => Enumerable.Distinct<ContinualCell>(
    [
        .. Cells(ContinualTask.Text, s_claims), .. Cells(ContinualTask.Text, [.. ContinualSetting.OfText.Select(setting => setting.Name)]),
        .. Cells(ContinualTask.LongText, s_claims), .. Cells(ContinualTask.Images, s_claims), .. Cells(ContinualTask.LongImages, s_claims),
    ]);

    private static IEnumerable<ContinualCell> Cells(string task, IReadOnlyList<string> settings) =>
        from seed in s_seeds from setting in settings from schedule in ContinualCell.Schedules select new ContinualCell(task, setting, schedule, seed);
}
