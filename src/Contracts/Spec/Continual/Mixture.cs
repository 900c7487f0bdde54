using System.Collections.Immutable;

namespace Cluster.Contracts.Spec.Continual;

/// <summary>
/// How many samples of each batch come from which stage: whole numbers, so nothing is rounded that depends on a machine.
/// <code>
///   w_j        weight of source j, whole            W = Σ_j w_j      S_j = w_0 + ... + w_j
///   A_j(b)     = ⌊S_j·B·b/W + 1/2⌋                  samples of the sources 0..j in the first b batches of B
///   N_j(b)     = A_j(b) - A_{j-1}(b)                samples of source j in them
///   batch b    N_j(b+1) - N_j(b) samples of j       exactly w_j·B/W where that is whole
/// </code>
/// With at least one sample of each source in a batch, w_j·B ≥ W, no count is ever negative. A pure function of b: a resumed job
/// needs no other position than the number of its update.
/// </summary>
/// <param name="Sources">Stages by index, ascending, and their weights.</param>
public sealed record Mixture(ImmutableArray<(int Stage, long Weight)> Sources)
{
    /// <summary>Nine decimals of a share count.</summary>
    internal const long Unit = 1_000_000_000;

    public long Total { get; } = Sources.Sum(source => source.Weight);

    /// <param name="spec">Checked.</param>
    /// <param name="stage">Index of the stage whose batches it is.</param>
    /// <param name="names">Of all stages up to this one.</param>
    public static Mixture Of(MixtureSpec spec, int stage, IReadOnlyList<string> names) => spec switch
    {
        MixtureSpec.Replay replay when stage > 0 => new(
        [
            .. Enumerable.Range(0, stage).Select(earlier => (earlier, Parts(replay.Share))),
            (stage, (Unit - Parts(replay.Share)) * stage),
        ]),
        MixtureSpec.Equal => new([.. Enumerable.Range(0, stage + 1).Select(source => (source, 1L))]),
        MixtureSpec.Shares shares => new([.. shares.Of.Select(share => (IndexOf(names, share.Stage), Parts(share.Share))).OrderBy(source => source.Item1)]),
        _ => new([(stage, 1)]),
    };

    /// <summary>Whether the stages before this one have at least as large a part as in another mixture.</summary>
    public bool ReplaysAtLeast(Mixture other, int stage) => (Int128)Earlier(stage) * other.Total >= (Int128)other.Earlier(stage) * Total;

    /// <summary>N_j(b) for the j-th source: its samples in the first so many batches.</summary>
    public long CountUpTo(int source, long batches, int batch)
    {
        var below = Sources.Take(source).Sum(s => s.Weight);
        return Rounded(below + Sources[source].Weight, batches, batch) - Rounded(below, batches, batch);
    }

    /// <summary>Samples of a stage in the first so many batches; 0 where it is no source.</summary>
    public long CountOf(int stage, long batches, int batch)
    {
        for (var source = 0; source < Sources.Length; source++)
        {
            if (Sources[source].Stage == stage) { return CountUpTo(source, batches, batch); }
        }

        return 0;
    }

    /// <summary>Samples of the j-th source in one batch, from 0.</summary>
    public int CountIn(int source, long index, int batch) => (int)(CountUpTo(source, index + 1, batch) - CountUpTo(source, index, batch));

    /// <summary>A share in billionths; decimal, because 0.3 has no exact double.</summary>
    internal static long Parts(double share) => (long)decimal.Round((decimal)share * Unit, MidpointRounding.AwayFromZero);

    /// <summary>A_j(b); the products are larger than 64 bits.</summary>
    private long Rounded(long weights, long batches, int batch) => (long)((((Int128)2 * weights * batch * batches) + Total) / (2 * (Int128)Total));

    private long Earlier(int stage) => Sources.Where(source => source.Stage < stage).Sum(source => source.Weight);

    private static int IndexOf(IReadOnlyList<string> names, string name)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i] == name) { return i; }
        }

        throw new ArgumentException($"the spec was not checked: no stage is called {name}", nameof(name));
    }
}
