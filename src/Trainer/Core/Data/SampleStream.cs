namespace Cluster.Trainer.Core.Data;

/// <summary>
/// The endless order in which a job sees its samples: epoch after epoch, each a shuffle of its own. A pure function of seed
/// and position, so any leaf of any round can be gathered anywhere and a resume replays nothing.
/// </summary>
/// <param name="seed">The job's seed.</param>
/// <param name="count">Samples in an epoch.</param>
internal sealed class SampleStream(long seed, long count)
{
    public long Count { get; } = count > 0 ? count : throw new ArgumentOutOfRangeException(nameof(count), count, "an epoch has at least one sample");

    /// <summary>The sample at position <paramref name="n"/> of the stream: place n mod Count of epoch n / Count.</summary>
    public long At(long n)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        return Epoch(n / Count)[n % Count];
    }

    /// <summary>The samples at positions <paramref name="first"/>, first + 1, ... of the stream: those of a leaf.</summary>
    public void Fill(long first, Span<long> samples)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        var (epoch, place) = Math.DivRem(first, Count);
        var order = Epoch(epoch);
        for (var i = 0; i < samples.Length; i++, place++)
        {
            if (place == Count)
            {
                place = 0;
                order = Epoch(++epoch);
            }

            samples[i] = order[place];
        }
    }

    private Permutation Epoch(long epoch) => new(Seeds.Derive(seed, SeedPurpose.Shuffle, epoch), Count);
}
