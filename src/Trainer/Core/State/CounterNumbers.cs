namespace Cluster.Trainer.Core.State;

/// <summary>Doubles among the counters of a state, which are whole numbers: their bits, which lose nothing.</summary>
internal static class CounterNumbers
{
    public static double GetNumber(this IDictionary<string, long> counters, string name) => BitConverter.Int64BitsToDouble(counters[name]);

    public static void SetNumber(this IDictionary<string, long> counters, string name, double value) => counters[name] = BitConverter.DoubleToInt64Bits(value);
}
