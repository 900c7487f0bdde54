using System.CommandLine;
using Cluster.Contracts;
using Cluster.Trainer.Core.Data.Tokens;

namespace Cluster.Cli.Verbs;

/// <summary>The files with text that verbs read, and how they are given.</summary>
internal static class TextInputs
{
    public static readonly Argument<string[]> Files = new("input") { Description = "Files with text, in the order in which they are read; text and JSON Lines may be .gz.", Arity = ArgumentArity.OneOrMore };

    public static readonly Option<string?> Format = new("--format") { Description = "By default what each name says: .jsonl or .ndjson, .parquet, else text.", HelpName = "text|jsonl|parquet" };

    public static readonly Option<string> Field = new("--field") { Description = "Where the text is: a field of each line of jsonl, a column of parquet.", HelpName = "NAME", DefaultValueFactory = _ => "text" };

    public static readonly Option<string> Out = new("--out") { Description = "A new folder for what comes of it.", HelpName = "DIR", Required = true };

    /// <exception cref="BadInputException">There is no such format.</exception>
    public static IReadOnlyList<TextSource> Of(ParseResult parsed)
    {
        TextFormat? format = parsed.GetValue(Format) switch
        {
            null => null,
            "text" => TextFormat.Text,
            "jsonl" => TextFormat.Jsonl,
            "parquet" => TextFormat.Parquet,
            var other => throw new BadInputException($"--format: found {other}, allowed: text, jsonl or parquet"),
        };
        return [.. parsed.GetRequiredValue(Files).Select(path => new TextSource(path, format ?? TextSource.FormatOf(path), parsed.GetRequiredValue(Field)))];
    }
}
