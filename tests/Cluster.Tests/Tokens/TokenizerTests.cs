using System.Collections.Immutable;
using System.Text;
using Cluster.Contracts;
using Cluster.Tests.Data;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Tokens;

namespace Cluster.Tests.Tokens;

public sealed class TokenizerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>"aaabdaaabac" becomes ZabdZabac, then ZYdZYac, then XdXac; of two pairs with equal counts the one of smaller numbers goes first.</summary>
    [Fact]
    public void Training_finds_the_pairs_of_the_textbook()
    {
        var learnt = Learn("aaabdaaabac", 300);
        Assert.Equal([("a", "a"), ("a", "b"), ("aa", "ab")], learnt.Merges.ToArray());
        Assert.Equal(["aa", "ab", "aaab", BpeVocabulary.EndOfText], learnt.Tokens.Skip(256));
        Assert.Equal([258, 'd', 258, 'a', 'c'], Encode(new BpeTokenizer(learnt), "aaabdaaabac"));
    }

    [Fact]
    public void Training_stops_at_the_vocabulary_that_is_wanted()
    {
        var learnt = Learn("aaabdaaabac", 258);
        Assert.Equal(258, learnt.Tokens.Length);
        Assert.Equal([("a", "a")], learnt.Merges.ToArray());
        Assert.Equal(257, new BpeTokenizer(learnt).EndOfText);
    }

    /// <summary>Against algorithm 1 as it stands in the paper: count all pairs anew, join the most frequent one, again.</summary>
    [Fact]
    public void Training_is_the_papers_algorithm_on_random_texts()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var text = RandomText(seed, 200, "aab cd\n");
            Assert.True(Learn(text, 280).Merges.SequenceEqual(Naive.Learn(text, 280)), $"seed {seed}: {text}");
        }
    }

    /// <summary>Against the encoder as the paper describes it: of all neighbours the pair that was learnt first is joined, again and again.</summary>
    [Fact]
    public void Encoding_joins_the_pairs_in_the_order_in_which_they_were_learnt()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var learnt = Learn(RandomText(seed, 300, "aab cdé\n"), 300);
            var text = RandomText(1000 + seed, 200, "aab cdé\n");
            var number = learnt.Tokens.Index().ToDictionary(token => token.Item, token => token.Index);
            var expected = Naive.Encode(text, learnt.Merges).Select(token => number[token]);
            Assert.True(Encode(new BpeTokenizer(learnt), text).SequenceEqual(expected), $"seed {seed}: {text}");
        }
    }

    [Fact]
    public void What_was_encoded_is_decoded_to_the_same_bytes()
    {
        var tokenizer = new BpeTokenizer(Learn(RandomText(7, 2000, "the inñ日😀 \n"), 400));
        foreach (var text in (string[])["", "the <|endoftext|> in", "日本語 😀\u0000\u0001", "\uFEFFa\u00a0 b", .. Enumerable.Range(0, 30).Select(seed => RandomText(seed, 100, "the inñ日😀 \n\t\r'stA1%"))])
        {
            var tokens = Encode(tokenizer, text);
            Assert.All(tokens, token => Assert.InRange(token, 0, tokenizer.Vocabulary - 1));
            Assert.DoesNotContain(tokenizer.EndOfText!.Value, tokens); // Text that looks like it is text.
            Assert.Equal(text, Encoding.UTF8.GetString([.. tokens.SelectMany(token => tokenizer.BytesOf(token).ToArray())]));
        }
    }

    [Fact]
    public void Bytes_are_tokens_without_a_tokenizer_file()
    {
        var tokenizer = Tokenizers.Open("bytes");
        var tokens = new List<int>();
        tokenizer.Encode([0, 255, 128, 7], tokens);
        Assert.Equal([0, 255, 128, 7], tokens);
        Assert.Equal([128], tokenizer.BytesOf(128).ToArray());
        Assert.Null(tokenizer.EndOfText);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(5), InlineData(17), InlineData(64), InlineData(10_000)]
    public void A_text_read_in_parts_has_the_tokens_of_the_text_in_one(int block)
    {
        var tokenizer = new BpeTokenizer(Learn(RandomText(3, 3000, "the in \n\n's."), 350));
        for (var seed = 0; seed < 20; seed++)
        {
            var text = string.Join(' ', Enumerable.Range(0, 30).Select(i => RandomText((100 * seed) + i, 5, "thein's.\n ")));
            var path = _folder.Write("a.txt", text);
            var (tokens, whole) = (new List<int>(), new MemoryStream());
            var parts = 0;
            foreach (var part in PlainText.Read(path, Math.Max(block, 8)))
            {
                tokenizer.Encode(part.Utf8.Span, tokens);
                whole.Write(part.Utf8.Span);
                parts++;
            }

            Assert.Equal(text, Encoding.UTF8.GetString(whole.ToArray()));
            if (block >= 64) { Assert.Equal(Encode(tokenizer, text), tokens); } // Smaller ones find no good place to cut.
            Assert.Equal(block > text.Length, parts == 1);
        }
    }

    [Fact]
    public void A_text_without_a_good_place_is_cut_between_characters()
    {
        var text = string.Concat(Enumerable.Repeat("日本語é😀", 50));
        var parts = PlainText.Read(_folder.Write("a.txt", text), block: 16).Select(part => BytePieces.Strict.GetString(part.Utf8.Span)).ToArray();
        Assert.Equal(text, string.Concat(parts));
        Assert.True(parts.Length > 10);
    }

    [Fact]
    public void Files_that_were_written_are_read_as_the_same_tokenizer()
    {
        var learnt = Learn(RandomText(5, 2000, "the in\"\\ñ日 \n"), 320);
        learnt.Write(_folder.Path);
        var read = BpeVocabulary.Read(_folder.Path);
        Assert.Equal(learnt.Sha256, read.Sha256);
        Assert.Equal(learnt.Tokens.ToArray(), read.Tokens.ToArray());
        Assert.Equal(learnt.Merges.ToArray(), read.Merges.ToArray());
    }

    [Theory]
    [InlineData("vocab.json", "", "vocab.json is empty")]
    [InlineData("vocab.json", "[1]", "vocab.json is no table of tokens and their numbers: ")]
    [InlineData("vocab.json", "{}", "vocab.json has no tokens")]
    [InlineData("vocab.json", "{\"a\": 0, \"b\": 2}", "vocab.json gives token 'b' the number 2; each of 0 to 1 is expected once")]
    [InlineData("vocab.json", "{\"a\": 0, \"b\": 0}", "vocab.json gives token 'b' the number 0; each of 0 to 1 is expected once")]
    [InlineData("vocab.json", "{\"a b\": 0}", "vocab.json has the token 'a b', whose characters are not all bytes")]
    [InlineData("vocab.json", "{\"a\": 0}", "vocab.json has no token for the byte 0 ('\u0100')")]
    [InlineData("merges.txt", "#version: 0.2\na a\na  b\n", "merges.txt line 3: 'a  b' is not two tokens with a space between them")]
    [InlineData("merges.txt", "#version: 0.2\na z\n", "merges.txt line 2: 'az' is no token of vocab.json")]
    public void Wrong_files_are_refused_with_what_is_wrong(string name, string text, string problem)
    {
        Learn("aaabdaaabac", 300).Write(_folder.Path);
        _folder.Write(name, text);
        Assert.Contains(problem, Assert.Throws<BadInputException>(() => Tokenizers.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_vocabulary_that_is_too_large_is_refused()
    {
        Learn("aa", 300).Write(_folder.Path);
        var tokens = Enumerable.Range(0, BpeVocabulary.MaxTokens + 1).Select(i => $"\"{i}\":{i}");
        _folder.Write("vocab.json", $"{{{string.Join(',', tokens)}}}");
        Assert.Contains("has 1,048,577 tokens; at most 1,048,576 are allowed", Assert.Throws<BadInputException>(() => Tokenizers.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    internal static BpeVocabulary Learn(string text, int vocabulary)
    {
        var training = new BpeTraining();
        training.Add(Encoding.UTF8.GetBytes(text));
        return training.Learn(vocabulary);
    }

    internal static string RandomText(long seed, int length, string alphabet)
    {
        var random = new SeededRandom(Seeds.Mix((ulong)seed));
        var letters = alphabet.EnumerateRunes().ToArray();
        var text = new StringBuilder();
        for (var i = 0; i < length; i++) { text.Append(letters[random.NextInt(letters.Length)]); }
        return text.ToString();
    }

    private static List<int> Encode(BpeTokenizer tokenizer, string text)
    {
        var tokens = new List<int>();
        tokenizer.Encode(Encoding.UTF8.GetBytes(text), tokens);
        return tokens;
    }

    /// <summary>The slow and plain way.</summary>
    private static class Naive
    {
        public static ImmutableArray<(string, string)> Learn(string text, int vocabulary)
        {
            var pieces = Pieces(text);
            var numbers = Enumerable.Range(0, 256).ToDictionary(b => BytePieces.Shown((byte)b).ToString());
            var merges = new List<(string, string)>();
            while (numbers.Count < vocabulary - 1)
            {
                var best = pieces.SelectMany(piece => piece.Zip(piece.Skip(1))).GroupBy(pair => pair).Where(group => group.Count() > 1)
                    .OrderByDescending(group => group.Count()).ThenBy(group => numbers[group.Key.First]).ThenBy(group => numbers[group.Key.Second]).FirstOrDefault()?.Key;
                if (best is not var (left, right)) { break; }
                merges.Add((left, right));
                numbers.TryAdd(left + right, numbers.Count);
                pieces = [.. pieces.Select(piece => Joined(piece, left, right))];
            }

            return [.. merges];
        }

        public static IEnumerable<string> Encode(string text, ImmutableArray<(string, string)> merges) =>
            Pieces(text).SelectMany(piece =>
            {
                while (piece.Zip(piece.Skip(1)).Select(pair => merges.IndexOf(pair)).Where(rank => rank >= 0).DefaultIfEmpty(-1).Min() is >= 0 and var rank)
                {
                    piece = Joined(piece, merges[rank].Item1, merges[rank].Item2);
                }

                return piece;
            });

        private static List<List<string>> Pieces(string text) =>
            [.. BytePieces.Pattern().Matches(text).Select(match => Encoding.UTF8.GetBytes(match.Value).Select(b => BytePieces.Shown(b).ToString()).ToList())];

        private static List<string> Joined(List<string> piece, string left, string right)
        {
            var joined = new List<string>();
            for (var i = 0; i < piece.Count; i++)
            {
                var both = i + 1 < piece.Count && piece[i] == left && piece[i + 1] == right;
                joined.Add(both ? left + right : piece[i]);
                if (both) { i++; }
            }

            return joined;
        }
    }
}
