using System.Collections.Immutable;
using System.Text.Json;
using Cluster.Trainer.Core;
using Cluster.Trainer.Methods;

namespace Cluster.Trainer.Rounds;

/// <summary>What a rank tells the others at the end of a stretch of rounds that were computed layer by layer.</summary>
/// <param name="Wish">The rank's own.</param>
/// <param name="Broken">The first round whose numbers were not finite here, or null.</param>
/// <param name="Rounds">What the rank's layers did in each; empty after a broken one.</param>
/// <param name="Busy">The median round's time without waiting for the neighbours, in ticks of 100 ns.</param>
internal sealed record StretchReport(RoundWish Wish, long? Broken, IReadOnlyList<LayersOfRound> Rounds, long Busy)
{
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this);

    public static StretchReport Read(byte[] bytes) => JsonSerializer.Deserialize<StretchReport>(bytes)!;
}

/// <summary>A run of layers in one round.</summary>
/// <param name="Loss">Of these layers, summed.</param>
/// <param name="Correct">Of the highest layers alone; 0 below.</param>
internal sealed record LayersOfRound(
    double Samples, double Weight, double Loss, double Correct, double Leaves, double LearningRate, double GradientNorm, ImmutableDictionary<string, double> Values)
{
    /// <summary>The round of all layers from those of its runs, from the bottom up.</summary>
    public static (Tally Tally, RoundResult Result) Join(IReadOnlyList<LayersOfRound> runs) => (
        new Tally(runs[0].Samples, runs[0].Weight, runs.Sum(run => run.Loss), runs.Sum(run => run.Correct), runs[0].Leaves),
        new RoundResult(runs[0].LearningRate, Math.Sqrt(runs.Sum(run => run.GradientNorm * run.GradientNorm)))
        {
            Values = runs.Aggregate(ImmutableDictionary<string, double>.Empty, (all, run) => all.SetItems(run.Values)),
        });
}
