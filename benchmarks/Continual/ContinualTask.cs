namespace Cluster.Benchmarks.Continual;

/// <summary>Three data sets one after the other, a model, and a budget.</summary>
/// <param name="Spec">File in the folder <c>specs</c>.</param>
/// <param name="Updates">N: updates of a stage up to its annealed weights.</param>
/// <param name="CooldownEnd">P: the share of N at which the infinite schedule is at its constant rate.</param>
/// <param name="Stages">Names of its stages.</param>
/// <param name="Settings">The most telling first.</param>
/// <param name="Unit">Of its loss.</param>
/// <param name="Format">Of numbers in this unit.</param>
/// <param name="AverageMargin">By how much the infinite schedule's average loss without replay is expected to be lower.</param>
/// <param name="ForgettingMargin">The same of its forgetting.</param>
internal sealed record ContinualTask(
    string Name, string Spec, int Updates, double CooldownEnd, IReadOnlyList<string> Stages, IReadOnlyList<ContinualSetting> Settings,
    string Unit, string Format, double AverageMargin, double ForgettingMargin)
{
    /// <summary>Of N.</summary>
    public const double WarmupShare = 0.05, TrunkShare = 0.85;

    public const string Text = "text", LongText = "text-1000", Images = "images", LongImages = "images-1000";

    private static readonly ContinualTask s_text = new(
        Text, "continual-text.yaml", 250, 0.6, ["english", "code", "german"], ContinualSetting.OfText, "nats", "F3", AverageMargin: 0.1, ForgettingMargin: 0.2);

    private static readonly ContinualTask s_images = new(
        Images, "continual-images.yaml", 500, 0.3, ["mnist", "fashion", "cifar"], ContinualSetting.OfImages, "squared error a pixel", "F5", AverageMargin: 0, ForgettingMargin: 0);

    public static IReadOnlyList<ContinualTask> All { get; } =
    [
        s_text,
        s_text with { Name = LongText, Updates = 1000 },
        s_images,
        s_images with { Name = LongImages, Updates = 1000 },
    ];

    /// <summary>Updates of the trunk in a stage where a release is annealed beside it; the release has the rest of N.</summary>
    public int TrunkUpdates => (int)(TrunkShare * Updates);

    /// <summary>It needs the text of C# files.</summary>
    public bool ReadsSource => Stages.Contains("code");

    public static ContinualTask Of(string name) => All.Single(task => task.Name == name);

    public ContinualSetting SettingOf(string name) => Settings.Single(setting => setting.Name == name);
}
