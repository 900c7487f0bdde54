using System.CommandLine;
using Cluster.Cli.Continual;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Models;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster generate PATH</c>: what a language model has learnt, in its own words.</summary>
internal static class GenerateVerb
{
    public static Command Create()
    {
        var path = new Argument<string>("path") { Description = "A checkpoint, or a job's folder: then its newest release, or else its newest checkpoint." };
        var release = new Option<string?>("--release") { Description = "Of a job's folder, this release.", HelpName = "NAME" };
        var prompt = new Option<string>("--prompt") { Description = "What the text begins with.", HelpName = "TEXT", DefaultValueFactory = _ => "\n" };
        var tokens = new Option<int>("--tokens") { Description = "How much to write.", HelpName = "N", DefaultValueFactory = _ => 400 };
        var temperature = new Option<double>("--temperature") { Description = "Below 1 bolder, above 1 wilder; 0 takes the likeliest token.", HelpName = "T", DefaultValueFactory = _ => 0.8 };
        var topK = new Option<int?>("--top-k") { Description = "Draws from so many of the likeliest tokens only.", HelpName = "K" };
        var seed = new Option<long>("--seed") { Description = "Another one writes another text.", HelpName = "S", DefaultValueFactory = _ => 1 };
        var tokenizer = new Option<string?>("--tokenizer") { Description = "Of the model: 'bytes', or a folder with vocab.json and merges.txt. By default that of the data it was trained on.", HelpName = "DIR" };
        var command = new Command("generate", "Lets the language model of a checkpoint write.") { path, release, prompt, tokens, temperature, topK, seed, tokenizer, VerbOptions.Data };
        command.SetAction(parsed =>
        {
            var (count, heat, k) = (parsed.GetValue(tokens), parsed.GetValue(temperature), parsed.GetValue(topK));
            if (count is < 1 or > 1_000_000) { throw new BadInputException($"--tokens: found {count}, allowed: 1 to 1000000"); }
            if (!(heat is >= 0 and <= 100)) { throw new BadInputException(FormattableString.Invariant($"--temperature: found {heat}, allowed: 0 to 100")); }
            if (k < 1) { throw new BadInputException($"--top-k: found {k}, allowed: a whole number from 1"); }
            var text = parsed.GetValue(prompt) is { Length: > 0 } given ? given : throw new BadInputException("--prompt: found no text, allowed: at least one character");

            var checkpoint = GeneratedText.Find(parsed.GetRequiredValue(path), parsed.GetValue(release));
            var roots = DataRoots.Of(specFile: null, parsed.GetValue(VerbOptions.Data), Environment.GetEnvironmentVariable(DataRoots.Variable));
            using var generator = TextGenerator.Open(checkpoint, parsed.GetValue(tokenizer), roots);
            GeneratedText.Write(generator, text, count, new Sampling(heat, k, parsed.GetValue(seed)), Console.Out);
            return ExitCodes.Succeeded;
        });
        return command;
    }
}
