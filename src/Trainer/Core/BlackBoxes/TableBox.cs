namespace Cluster.Trainer.Core.BlackBoxes;

/// <summary>
/// Each output is looked up in a table of its own, at a place given by a random projection of the input, with straight lines between
/// entries: a device of which only a calibration is known.
/// </summary>
internal sealed class TableBox(long seed, int width, int entries, double noise, double drift) : SimulatedBox(seed, width, noise, drift)
{
    private readonly double[] _tables = Table(new(Seeds.Derive(seed, SeedPurpose.BlackBox, 3)), width * entries); // [width, entries], 0 to 1

    protected override double[] Respond(double[] medium, double[] h)
    {
        var length = Math.Sqrt(h.Sum(value => value * value)) + 1e-6;
        var projections = Product(medium, [.. h.Select(value => value / length)]);
        return [.. projections.Select((projection, i) => Look(_tables.AsSpan(i * entries, entries), (Math.Tanh(projection) + 1) / 2))];
    }

    /// <param name="place">0 at the first entry, 1 at the last.</param>
    public static double Look(ReadOnlySpan<double> table, double place)
    {
        var at = place * (table.Length - 1);
        var before = Math.Min((int)at, table.Length - 2);
        return table[before] + (at - before) * (table[before + 1] - table[before]);
    }

    private static double[] Table(SeededRandom random, int count)
    {
        var values = new double[count];
        for (var i = 0; i < count; i++) { values[i] = random.NextDouble(); }
        return values;
    }
}
