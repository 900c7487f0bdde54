using System.Globalization;

namespace Cluster.Benchmarks.Continual;

/// <summary>One job of the table.</summary>
/// <param name="Task">Name of a <see cref="ContinualTask"/>.</param>
/// <param name="Setting">Name of one of the task's.</param>
/// <param name="Schedule">One of <see cref="Schedules"/>.</param>
internal sealed record ContinualCell(string Task, string Setting, string Schedule, int Seed)
{
    public const string Columns = "task,setting,schedule,seed";

    public const string Cosine = "cosine", Infinite = "infinite";

    public static IReadOnlyList<string> Schedules { get; } = [Cosine, Infinite];

    public static ContinualCell Parse(ReadOnlySpan<string> c) => new(c[0], c[1], c[2], int.Parse(c[3], CultureInfo.InvariantCulture));

    /// <summary>
    /// The settings of its spec. Cosine: N updates a stage, from a rate of 0 over M to m. Infinite: the trunk has 85 % of N, its release
    /// the rest, so that both have seen N updates where they are compared.
    /// </summary>
    public IEnumerable<string> Settings()
    {
        var task = ContinualTask.Of(Task);
        var setting = task.SettingOf(Setting);
        var isInfinite = Schedule == Infinite;
        yield return $"seed={Seed}";
        yield return isInfinite
            ? Invariant($"continual.schedule={{kind: infinite, of: {task.Updates}, max: {setting.Max}, constant: {setting.Constant}, min: {setting.Min}, warmupEnd: {ContinualTask.WarmupShare}, cooldownEnd: {task.CooldownEnd}}}")
            : Invariant($"continual.schedule={{kind: repeatedCosine, max: {setting.Max}, min: {setting.Min}, warmup: {ContinualTask.WarmupShare * task.Updates}}}");
        for (var stage = 0; stage < task.Stages.Count; stage++)
        {
            var key = $"continual.stages[{stage}]";
            yield return $"{key}.updates={(isInfinite ? task.TrunkUpdates : task.Updates)}";
            if (isInfinite) { yield return $"{key}.release={{updates: {task.Updates - task.TrunkUpdates}}}"; }
            if (stage == 0) { continue; }
            yield return $"{key}.moments={setting.Moments}";
            if (setting.Replay > 0) { yield return Invariant($"{key}.mixture={{kind: replay, share: {setting.Replay}}}"); }
        }
    }

    public override string ToString() => $"{Task},{Setting},{Schedule},{Seed}";

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
