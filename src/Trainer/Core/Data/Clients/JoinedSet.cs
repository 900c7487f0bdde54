using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Data.Clients;

/// <summary>Several data sets of the same kind as one: the samples of the first, then those of the second, and so on.</summary>
internal sealed class JoinedSet : IDataSet
{
    private readonly IReadOnlyList<IDataSet> _sets;
    private readonly long[] _ends; // Where each set's numbers end, [sets].

    /// <param name="sets">At least one; all with the same shape of samples and the same classes.</param>
    public JoinedSet(IReadOnlyList<IDataSet> sets)
    {
        _sets = sets;
        _ends = new long[sets.Count];
        for (var i = 0; i < sets.Count; i++) { _ends[i] = (i == 0 ? 0 : _ends[i - 1]) + sets[i].Count; }
    }

    public long Count => _ends[^1];

    public IReadOnlyList<long> InputShape => _sets[0].InputShape;

    public int Classes => _sets[0].Classes;

    /// <summary>Runs of numbers that lie in one set are gathered together.</summary>
    public Batch Gather(ReadOnlySpan<long> samples, ulong seed, Device device)
    {
        var parts = new List<Batch>();
        for (var at = 0; at < samples.Length;)
        {
            var set = SetOf(samples[at]);
            var own = new List<long>();
            for (; at < samples.Length && SetOf(samples[at]) == set; at++) { own.Add(samples[at] - (_ends[set] - _sets[set].Count)); }
            parts.Add(_sets[set].Gather([.. own], Seeds.Derive((long)seed, SeedPurpose.Masking, set), device));
        }

        return Batch.Join(parts);
    }

    private int SetOf(long sample)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sample);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sample, Count);
        var found = Array.BinarySearch(_ends, sample + 1);
        return found < 0 ? ~found : found; // The first set that ends after the sample; none is empty.
    }
}
