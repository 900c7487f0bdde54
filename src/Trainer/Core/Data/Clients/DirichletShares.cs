namespace Cluster.Trainer.Core.Data.Clients;

/// <summary>Draws from a symmetric Dirichlet distribution.</summary>
internal static class DirichletShares
{
    /// <summary>
    /// Shares q ~ Dir(α, ..., α) that sum to 1: G_i/ΣG with G_i ~ Gamma(α). For α below 1, G = Gamma(α + 1)·U^(1/α), which for small
    /// α is far below the smallest double; so everything is kept as logarithms until the largest is divided out.
    /// </summary>
    public static double[] Draw(ulong seed, double alpha, int count)
    {
        var random = new SeededRandom(seed);
        var logs = new double[count];
        for (var i = 0; i < count; i++)
        {
            logs[i] = Math.Log(Gamma(alpha < 1 ? alpha + 1 : alpha, ref random));
            if (alpha < 1) { logs[i] += Math.Log(1 - random.NextDouble()) / alpha; } // 1 - U lies in (0, 1].
        }

        var largest = logs.Max();
        var shares = Array.ConvertAll(logs, log => Math.Exp(log - largest));
        var sum = shares.Sum();
        return Array.ConvertAll(shares, share => share / sum);
    }

    /// <summary>Gamma(shape) for a shape of at least 1 (Marsaglia and Tsang 2000, "A Simple Method for Generating Gamma Variables").</summary>
    private static double Gamma(double shape, ref SeededRandom random)
    {
        var d = shape - (1.0 / 3);
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var x = Normal(ref random);
            var v = 1 + (c * x);
            if (v <= 0) { continue; }

            v = v * v * v;
            if (Math.Log(1 - random.NextDouble()) < (0.5 * x * x) + d - (d * v) + (d * Math.Log(v))) { return d * v; }
        }
    }

    /// <summary>N(0, 1) by the polar method (Marsaglia 1962); the second value of each pair is not used.</summary>
    private static double Normal(ref SeededRandom random)
    {
        while (true)
        {
            var (u, v) = ((2 * random.NextDouble()) - 1, (2 * random.NextDouble()) - 1);
            var s = (u * u) + (v * v);
            if (s is > 0 and < 1) { return u * Math.Sqrt(-2 * Math.Log(s) / s); }
        }
    }
}
