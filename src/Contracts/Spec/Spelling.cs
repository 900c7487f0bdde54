namespace Cluster.Contracts.Spec;

/// <summary>Finds the word that a typo was meant to be.</summary>
internal static class Spelling
{
    /// <summary>The nearest candidate within a third of the word's length in edits, case aside; null when none is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> candidates)
    {
        if (word.Length > 64)
        {
            return null;
        }

        var (nearest, distance) = candidates
            .Select(c => (Word: (string?)c, Distance: Distance(word, c)))
            .Append((Word: null, Distance: int.MaxValue))
            .MinBy(c => c.Distance);
        return distance <= Math.Max(1, word.Length / 3) ? nearest : null;
    }

    /// <summary>Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours, each counting 1.</summary>
    internal static int Distance(string left, string right)
    {
        var (a, b) = (left.ToUpperInvariant(), right.ToUpperInvariant());
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    d[i, j] = i + j;
                    continue;
                }

                var replaced = d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(replaced, Math.Min(d[i - 1, j], d[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
            }
        }

        return d[a.Length, b.Length];
    }
}
