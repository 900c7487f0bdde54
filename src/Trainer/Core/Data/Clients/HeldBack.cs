namespace Cluster.Trainer.Core.Data.Clients;

/// <summary>Which of its samples a client never trains on: a pure function of the job's seed, the client and how many it has.</summary>
internal static class HeldBack
{
    /// <summary>Both parts in the order of the whole. A client with a single sample trains on it.</summary>
    /// <param name="client">Its place among the job's clients.</param>
    /// <param name="share">Above 0 and below 1; rounded to whole samples, at least one and not all.</param>
    public static (long[] Train, long[] Evaluation) Split(long seed, int client, ReadOnlySpan<long> samples, double share)
    {
        if (samples.Length < 2) { return (samples.ToArray(), []); }

        // In decimal, so that a tenth of 15 is one and a half and not a little less.
        var count = Math.Clamp((int)Math.Round((decimal)share * samples.Length, MidpointRounding.AwayFromZero), 1, samples.Length - 1);
        var order = new Permutation(Seeds.Derive(seed, SeedPurpose.HeldBack, client), samples.Length);
        var isHeld = new bool[samples.Length];
        for (var i = 0; i < count; i++) { isHeld[order[i]] = true; }

        var (train, evaluation) = (new List<long>(samples.Length - count), new List<long>(count));
        for (var i = 0; i < samples.Length; i++) { (isHeld[i] ? evaluation : train).Add(samples[i]); }
        return ([.. train], [.. evaluation]);
    }
}
