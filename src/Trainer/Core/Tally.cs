namespace Cluster.Trainer.Core;

/// <summary>The scalars of a contribution. They are added in the same canonical order as the vectors.</summary>
/// <param name="Samples">Samples seen.</param>
/// <param name="Weight">What the sum is divided by to give a mean: samples, or predicted tokens.</param>
/// <param name="Loss">Sum of losses over the weight: in nats, or what the model's loss is in.</param>
/// <param name="Correct">Predictions that were right, of <paramref name="Weight"/>; NaN where none can be right or wrong.</param>
/// <param name="Leaves">Leaves added.</param>
internal readonly record struct Tally(double Samples, double Weight, double Loss, double Correct, double Leaves)
{
    public static Tally operator +(Tally a, Tally b) => Add(a, b);

    public static Tally Add(Tally a, Tally b) =>
        new(a.Samples + b.Samples, a.Weight + b.Weight, a.Loss + b.Loss, a.Correct + b.Correct, a.Leaves + b.Leaves);

    public double MeanLoss => Loss / Weight;

    public double Accuracy => Correct / Weight;
}
