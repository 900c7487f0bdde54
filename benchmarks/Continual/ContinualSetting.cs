namespace Cluster.Benchmarks.Continual;

/// <summary>Rates and mixtures, the same for both schedules.</summary>
/// <param name="Max">M.</param>
/// <param name="Constant">C; of the infinite schedule alone.</param>
/// <param name="Min">m.</param>
/// <param name="Replay">Share of each batch from the stages before.</param>
/// <param name="Moments">What the optimiser's moments do where a stage begins, as the spec spells it.</param>
internal sealed record ContinualSetting(string Name, double Max, double Constant, double Min, double Replay = 0, string Moments = "reset")
{
    /// <summary>What the claims are about: a low C without replay, a high one with it.</summary>
    public const string Plain = "plain", WithReplay = "replay";

    public static IReadOnlyList<ContinualSetting> OfText { get; } =
    [
        new(Plain, 2e-3, 4e-4, 4e-5),
        new(WithReplay, 3e-3, 1.55e-3, 1e-4, Replay: 0.5),
        new("plain-kept", 2e-3, 4e-4, 4e-5, Moments: "keep"),
        new("plain-quarter", 3e-3, 7.5e-4, 7.5e-5),
        new("plain-half", 2e-3, 1e-3, 1e-4),
        new("replay-quarter", 3e-3, 7.5e-4, 7.5e-5, Replay: 0.5),
    ];

    public static IReadOnlyList<ContinualSetting> OfImages { get; } =
    [
        new(Plain, 3e-3, 6e-4, 6e-5),
        new(WithReplay, 3e-3, 1.5e-3, 6e-5, Replay: 0.5),
    ];
}
