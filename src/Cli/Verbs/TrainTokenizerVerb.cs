using System.CommandLine;
using System.Text;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.Data.Tokens;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster data train-tokenizer INPUT... --out DIR</c>: learns a byte-level BPE.</summary>
internal static class TrainTokenizerVerb
{
    private const int Least = 257;

    public static Command Create()
    {
        var vocabulary = new Option<int>("--vocabulary") { Description = "Tokens: 256 bytes, the pairs that are learnt, and the end of text.", HelpName = "N", DefaultValueFactory = _ => 4096 };
        var command = new Command("train-tokenizer", "Learns a byte-level BPE from texts: vocab.json and merges.txt, as GPT-2's.")
        {
            TextInputs.Files, TextInputs.Out, vocabulary, TextInputs.Format, TextInputs.Field,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var wanted = parsed.GetValue(vocabulary);
            if (wanted is < Least or > BpeVocabulary.MaxTokens) { throw new BadInputException($"--vocabulary: found {wanted}, allowed: {Least} to {BpeVocabulary.MaxTokens}"); }
            var folder = parsed.GetRequiredValue(TextInputs.Out);
            var place = NewFolder.PlaceOf(folder); // Before minutes of learning, not after.

            var learnt = await LearnAsync(TextInputs.Of(parsed), wanted, cancellationToken);
            await NewFolder.WriteAsync(place, new Disk(), beside =>
            {
                learnt.Write(beside);
                return Task.FromResult(learnt);
            });
            Console.WriteLine($"{folder}: {learnt.Tokens.Length:N0} tokens{(learnt.Tokens.Length < wanted ? ", and no further pair comes twice" : "")}");
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static async Task<BpeVocabulary> LearnAsync(IReadOnlyList<TextSource> sources, int vocabulary, CancellationToken cancellationToken)
    {
        var training = new BpeTraining();
        foreach (var source in sources)
        {
            await foreach (var part in source.ReadAsync(cancellationToken))
            {
                try { training.Add(part.Utf8.Span); }
                catch (DecoderFallbackException e) { throw source.NotUtf8(part, e); }
            }
        }

        return training.Learn(vocabulary);
    }
}
