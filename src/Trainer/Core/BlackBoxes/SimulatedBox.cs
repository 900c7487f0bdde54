namespace Cluster.Trainer.Core.BlackBoxes;

/// <summary>
/// A black box in software, the same numbers on every machine: a random medium, drawn from a seed, that turns into another one as time goes
/// on, and Gaussian noise on what is read.
/// <code>
///   M(t) = cos(δt) M₀ + sin(δt) M₁        y = respond(M(t), h) + σ·n
/// </code>
/// </summary>
/// <param name="seed">Of this box.</param>
/// <param name="noise">σ.</param>
/// <param name="drift">δ, radians per unit of time.</param>
internal abstract class SimulatedBox(long seed, int width, double noise, double drift) : IBlackBox
{
    private readonly double[] _first = Gaussians(new(Seeds.Derive(seed, SeedPurpose.BlackBox, 1)), width * width);
    private readonly double[] _second = Gaussians(new(Seeds.Derive(seed, SeedPurpose.BlackBox, 2)), width * width);

    public float[] Measure(float[] inputs, int width, Moment moment)
    {
        var (keep, turn) = (Math.Cos(drift * moment.Time), Math.Sin(drift * moment.Time));
        double[] medium = [.. _first.Zip(_second, (a, b) => keep * a + turn * b)];
        var outputs = new float[inputs.Length];
        for (var row = 0; row < inputs.Length / width; row++)
        {
            double[] h = [.. inputs.AsSpan(row * width, width).ToArray().Select(value => (double)value)];
            var response = Respond(medium, h);
            var random = new SeededRandom(Seeds.Derive(seed, SeedPurpose.BoxNoise, moment.Time, moment.First + row));
            for (var i = 0; i < width; i++) { outputs[row * width + i] = (float)(noise > 0 ? response[i] + noise * Gaussian(ref random) : response[i]); }
        }

        return outputs;
    }

    public void Dispose() { }

    /// <param name="medium">[width, width], standard normal.</param>
    /// <param name="h">[width].</param>
    protected abstract double[] Respond(double[] medium, double[] h);

    /// <summary>M·u, [rows of M].</summary>
    protected static double[] Product(double[] m, double[] u)
    {
        var product = new double[m.Length / u.Length];
        for (var i = 0; i < product.Length; i++)
        {
            for (var j = 0; j < u.Length; j++) { product[i] += m[i * u.Length + j] * u[j]; }
        }

        return product;
    }

    protected static double[] Gaussians(SeededRandom random, int count)
    {
        var values = new double[count];
        for (var i = 0; i < count; i++) { values[i] = Gaussian(ref random); }
        return values;
    }

    /// <summary>Standard normal (Box and Muller 1958).</summary>
    private static double Gaussian(ref SeededRandom random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
