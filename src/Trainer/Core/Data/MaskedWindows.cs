using Cluster.Trainer.Core.Data.Tokens;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// Windows for a masked model, by BERT's rule (Devlin et al. 2019, section 3.1, task 1): a share of the places is to be
/// predicted; of these 80 % show the mask instead of their token, 10 % a random token, 10 % their own.
/// </summary>
/// <remarks>
/// Every sample has the same number of targets, max(1, round(share T)), as in the paper's own data preparation: a window
/// without a target cannot happen, and every sample weighs the same. Chance comes from (seed, sample).
/// </remarks>
internal sealed class MaskedWindows(ITokenRun tokens, int sequence, double share, string source) : TextWindows(tokens, sequence, sequence, source)
{
    private readonly int _targets = Math.Max(1, (int)Math.Round(share * sequence, MidpointRounding.AwayFromZero));

    /// <summary>The token after the vocabulary; an input only, never a target.</summary>
    private int Mask => Classes;

    protected override void Fill(ReadOnlySpan<long> text, long sample, ulong seed, Span<long> tokens, Span<long> targets)
    {
        var random = new SeededRandom(Seeds.Derive((long)seed, SeedPurpose.Masking, sample));
        var missing = _targets;
        for (var t = 0; t < tokens.Length; t++)
        {
            // Selection sampling (Knuth, TAOCP 3.4.2, algorithm S): every set of _targets places is equally likely.
            var chosen = random.NextInt(tokens.Length - t) < missing;
            targets[t] = chosen ? text[t] : Batch.NoTarget;
            tokens[t] = chosen ? Shown(text[t], ref random) : text[t];
            if (chosen) { missing--; }
        }
    }

    private long Shown(long own, ref SeededRandom random) => random.NextInt(10) switch
    {
        < 8 => Mask,
        8 => random.NextInt(Classes),
        _ => own,
    };
}
