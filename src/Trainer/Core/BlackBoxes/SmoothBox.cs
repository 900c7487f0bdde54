namespace Cluster.Trainer.Core.BlackBoxes;

/// <summary>y = tanh(M·u + c)², u = |h| / (‖h‖ + 10⁻⁶): what a detector sees behind a smooth random medium, whatever the signs and the power.</summary>
internal sealed class SmoothBox(long seed, int width, double noise, double drift) : SimulatedBox(seed, width, noise, drift)
{
    private const double Strength = 1.5; // Of the medium: outputs neither flat nor saturated.
    private const double Epsilon = 1e-6;

    private readonly double[] _offset = [.. Gaussians(new(Seeds.Derive(seed, SeedPurpose.BlackBox, 3)), width).Select(c => c / 2)];

    /// <param name="m">M, [width, width].</param>
    /// <param name="c">[width].</param>
    public static double[] Respond(double[] m, double[] c, double[] h)
    {
        var length = Math.Sqrt(h.Sum(value => value * value)) + Epsilon;
        return [.. Product(m, [.. h.Select(value => Math.Abs(value) / length)]).Zip(c, (product, offset) => Math.Pow(Math.Tanh(product + offset), 2))];
    }

    protected override double[] Respond(double[] medium, double[] h) => Respond([.. medium.Select(m => m * Strength)], _offset, h);
}
