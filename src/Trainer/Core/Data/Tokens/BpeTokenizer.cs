using Microsoft.ML.Tokenizers;
using Library = Microsoft.ML.Tokenizers.BpeTokenizer;

namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>
/// Byte-level BPE. The library joins the pairs of a piece; since the same pieces come again and again, what it found is kept, which
/// is several times as fast as asking it each time.
/// </summary>
internal sealed class BpeTokenizer : ITokenizer
{
    /// <summary>Longer pieces hardly come again.</summary>
    private const int KeptCharacters = 64;

    /// <summary>About 100 MB. More distinct pieces than this only cost time: the memory is emptied and fills again.</summary>
    private const int KeptPieces = 1_000_000;

    private readonly Library _library;
    private readonly byte[][] _bytes; // By token.
    private readonly Dictionary<string, int[]> _pieces = new(StringComparer.Ordinal);

    public BpeTokenizer(BpeVocabulary vocabulary)
    {
        _library = Library.Create(new BpeOptions(vocabulary.Tokens.Index().Select(token => KeyValuePair.Create(token.Item, token.Index)))
        {
            Merges = vocabulary.Merges.Select(merge => $"{merge.Left} {merge.Right}"),
            ByteLevel = true,
        });
        _bytes = [.. vocabulary.Tokens.Select(token => BytePieces.BytesOf(token)!)]; // Checked when it was read.
        Sha256 = vocabulary.Sha256;
        EndOfText = vocabulary.Tokens.IndexOf(BpeVocabulary.EndOfText) is >= 0 and var token ? token : null;
    }

    public int Vocabulary => _bytes.Length;

    public string Sha256 { get; }

    public int? EndOfText { get; }

    public void Encode(ReadOnlySpan<byte> text, List<int> into)
    {
        var characters = BytePieces.Strict.GetString(text);
        var kept = _pieces.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var match in BytePieces.Pattern().EnumerateMatches(characters))
        {
            var piece = characters.AsSpan(match.Index, match.Length);
            if (!kept.TryGetValue(piece, out var tokens))
            {
                tokens = [.. _library.EncodeToIds(piece, considerPreTokenization: false, considerNormalization: false)];
                if (piece.Length <= KeptCharacters)
                {
                    if (_pieces.Count == KeptPieces) { _pieces.Clear(); }
                    _pieces.Add(piece.ToString(), tokens);
                }
            }

            into.AddRange(tokens.AsSpan());
        }
    }

    public ReadOnlySpan<byte> BytesOf(int token) => _bytes[token];
}
