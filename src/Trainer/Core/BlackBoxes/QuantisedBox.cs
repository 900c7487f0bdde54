namespace Cluster.Trainer.Core.BlackBoxes;

/// <summary>
/// y = |M·q| / √width: each input is set to one of four levels between the smallest and the largest of its vector (two switches each), and
/// the levels are mixed. The derivative is zero almost everywhere, so back-propagation through it would learn nothing.
/// </summary>
internal sealed class QuantisedBox(long seed, int width, double noise, double drift) : SimulatedBox(seed, width, noise, drift)
{
    private const int Steps = 3; // Between four levels.

    protected override double[] Respond(double[] medium, double[] h) => [.. Product(medium, Levels(h)).Select(product => Math.Abs(product) / Math.Sqrt(h.Length))];

    /// <summary>0, 1/3, 2/3 or 1 for each; 0 where all are equal.</summary>
    public static double[] Levels(double[] h)
    {
        var (low, high) = (h.Min(), h.Max());
        return [.. h.Select(value => high > low ? Math.Round(Steps * (value - low) / (high - low), MidpointRounding.AwayFromZero) / Steps : 0)];
    }
}
