namespace Cluster.Trainer.Core.Data;

/// <summary>
/// Windows for a masked model, by BERT's rule (Devlin et al. 2019, section 3.1, task 1): a share of the places is to be
/// predicted; of these 80 % show the mask instead of their byte, 10 % a random byte, 10 % their own.
/// </summary>
/// <remarks>
/// Every sample has the same number of targets, max(1, round(share T)), as in the paper's own data preparation: a window
/// without a target cannot happen, and every sample weighs the same. Chance comes from (seed, sample).
/// </remarks>
internal sealed class MaskedWindows(byte[] text, int sequence, double share, string source) : TextWindows(text, sequence, sequence, source)
{
    /// <summary>The token after the 256 bytes; an input only, never a target.</summary>
    public const int Mask = Bytes;

    private readonly int _targets = Math.Max(1, (int)Math.Round(share * sequence, MidpointRounding.AwayFromZero));

    protected override void Fill(ReadOnlySpan<byte> bytes, long sample, ulong seed, Span<long> tokens, Span<long> targets)
    {
        var random = new SeededRandom(Seeds.Derive((long)seed, SeedPurpose.Masking, sample));
        var missing = _targets;
        for (var t = 0; t < tokens.Length; t++)
        {
            // Selection sampling (Knuth, TAOCP 3.4.2, algorithm S): every set of _targets places is equally likely.
            var chosen = random.NextInt(tokens.Length - t) < missing;
            targets[t] = chosen ? bytes[t] : Batch.NoTarget;
            tokens[t] = chosen ? Shown(bytes[t], ref random) : bytes[t];
            if (chosen) { missing--; }
        }
    }

    private static long Shown(byte own, ref SeededRandom random) => random.NextInt(10) switch
    {
        < 8 => Mask,
        8 => random.NextInt(Bytes),
        _ => own,
    };
}
