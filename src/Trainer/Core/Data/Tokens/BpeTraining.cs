using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;

namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>
/// Learns a byte-level BPE: "Neural Machine Translation of Rare Words with Subword Units", Sennrich et al. 2016, section 3.2,
/// algorithm 1, over bytes as in Radford et al. 2019.
/// </summary>
/// <remarks>
/// <code>
///   pieces      of the text, each with its count; a piece is a row of symbols, at first its bytes
///   repeat      the pair of neighbours with the largest count becomes a symbol, everywhere
///               of equal counts the pair of the smaller numbers, so that the same text gives the same merges on every machine
///   until       the vocabulary is full, or no pair comes twice
/// </code>
/// Tokens 0 to 255 are the bytes, then come the merges in their order, last <c>&lt;|endoftext|&gt;</c>. Memory grows with the
/// distinct pieces, not with the text.
/// </remarks>
internal sealed class BpeTraining
{
    /// <summary>Longer ones are no words but data (a line of base64): merges within them would be of no use, and slow to find.</summary>
    private const int MaxPieceBytes = 1024;

    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);

    /// <param name="text">UTF-8; a part that ends between two pieces.</param>
    /// <exception cref="DecoderFallbackException">It is not UTF-8.</exception>
    public void Add(ReadOnlySpan<byte> text)
    {
        var characters = BytePieces.Strict.GetString(text);
        var counts = _counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var match in BytePieces.Pattern().EnumerateMatches(characters))
        {
            CollectionsMarshal.GetValueRefOrAddDefault(counts, characters.AsSpan(match.Index, match.Length), out _)++;
        }
    }

    /// <param name="vocabulary">Tokens wanted, with the 256 bytes and the end of text; fewer come when the text has no more.</param>
    public BpeVocabulary Learn(int vocabulary)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabulary, 257);
        List<string> tokens = [.. Enumerable.Range(0, 256).Select(b => BytePieces.Shown((byte)b).ToString())];
        var numbers = tokens.Index().ToDictionary(token => token.Item, token => token.Index, StringComparer.Ordinal);
        var merges = ImmutableArray.CreateBuilder<(string, string)>();
        var pairs = new Pairs(_counts.Select(piece => (Encoding.UTF8.GetBytes(piece.Key), piece.Value)).Where(piece => piece.Item1.Length is > 1 and <= MaxPieceBytes));
        while (tokens.Count < vocabulary - 1 && pairs.TakeMostFrequent() is var (left, right))
        {
            merges.Add((tokens[left], tokens[right]));
            var joined = tokens[left] + tokens[right];
            if (numbers.TryAdd(joined, tokens.Count)) { tokens.Add(joined); } // Else two ways lead to one token.
            pairs.Merge(left, right, numbers[joined]);
        }

        return BpeVocabulary.Of([.. tokens, BpeVocabulary.EndOfText], merges.ToImmutable());
    }

    /// <summary>Neighbours in all pieces, with their counts.</summary>
    private sealed class Pairs
    {
        private readonly List<(int[] Symbols, long Count)> _pieces = [];
        private readonly Dictionary<(int Left, int Right), long> _counts = [];
        private readonly Dictionary<(int Left, int Right), HashSet<int>> _places = []; // Pieces that have or had it.
        private readonly PriorityQueue<(int Left, int Right), (long Least, int Left, int Right)> _queue = new(); // Counts may be out of date.

        public Pairs(IEnumerable<(byte[] Bytes, long Count)> pieces)
        {
            foreach (var (bytes, count) in pieces)
            {
                _pieces.Add(([.. bytes.Select(b => (int)b)], count));
                Count(_pieces.Count - 1, count);
            }

            foreach (var (pair, _) in _counts) { Enqueue(pair); }
        }

        /// <summary>Null when no pair comes twice.</summary>
        public (int Left, int Right)? TakeMostFrequent()
        {
            while (_queue.TryDequeue(out var pair, out var priority))
            {
                var count = _counts.GetValueOrDefault(pair);
                if (count == -priority.Least) { return count > 1 ? pair : null; }
                if (count > 1) { Enqueue(pair); } // It became rarer since it was put there.
            }

            return null;
        }

        public void Merge(int left, int right, int merged)
        {
            var touched = new HashSet<(int, int)>();
            foreach (var place in _places.Remove((left, right), out var places) ? places : [])
            {
                var (symbols, count) = _pieces[place];
                Count(place, -count);
                _pieces[place] = (Joined(symbols, left, right, merged), count);
                foreach (var pair in Count(place, count)) { touched.Add(pair); }
            }

            foreach (var pair in touched) { Enqueue(pair); }
        }

        /// <summary>Adds so much for each pair of the piece.</summary>
        private (int, int)[] Count(int place, long count)
        {
            var symbols = _pieces[place].Symbols;
            var pairs = new (int, int)[symbols.Length - 1];
            for (var i = 0; i < pairs.Length; i++)
            {
                pairs[i] = (symbols[i], symbols[i + 1]);
                CollectionsMarshal.GetValueRefOrAddDefault(_counts, pairs[i], out _) += count;
                if (count > 0) { (CollectionsMarshal.GetValueRefOrAddDefault(_places, pairs[i], out _) ??= []).Add(place); }
            }

            return pairs;
        }

        private void Enqueue((int Left, int Right) pair) => _queue.Enqueue(pair, (-_counts[pair], pair.Left, pair.Right));

        private static int[] Joined(int[] symbols, int left, int right, int merged)
        {
            var joined = new List<int>(symbols.Length);
            for (var i = 0; i < symbols.Length; i++)
            {
                if (i + 1 < symbols.Length && symbols[i] == left && symbols[i + 1] == right)
                {
                    joined.Add(merged);
                    i++;
                }
                else { joined.Add(symbols[i]); }
            }

            return [.. joined];
        }
    }
}
