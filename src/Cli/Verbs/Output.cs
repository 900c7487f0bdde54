using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cluster.Client;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Cluster.Cli.Verbs;

/// <summary>Standard output of a verb: text for people, or with <c>--json</c> one line of JSON for each answer.</summary>
internal sealed class Output(bool isJson)
{
    private readonly IAnsiConsole _console = Create();

    public bool IsJson { get; } = isJson;

    /// <summary>The answer, in the form that was asked for.</summary>
    public int Answer<T>(T answer, JsonTypeInfo<T> type, Action<Output> show)
    {
        if (IsJson) { Console.Out.WriteLine(JsonSerializer.Serialize(answer, type)); }
        else { show(this); }
        return ExitCodes.Succeeded;
    }

    public void Show(IEnumerable<IRenderable> parts)
    {
        foreach (var part in parts) { _console.Write(part); }
    }

    public void Line(string text) => _console.WriteLine(text);

    public void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table().NoBorder();
        foreach (var column in columns) { table.AddColumn(new TableColumn(Markup.Escape(column)).NoWrap()); }
        foreach (var row in rows) { table.AddRow([.. row.Select(cell => new Text(cell))]); }
        _console.Write(table);
    }

    /// <summary>Names and values, without those that are null.</summary>
    public void Pairs(IEnumerable<(string Name, string? Value)> pairs)
    {
        var table = new Table().NoBorder().HideHeaders().AddColumn("").AddColumn("");
        foreach (var (name, value) in pairs) { if (value is not null) { table.AddRow(new Text(name), new Text(value)); } }
        _console.Write(table);
    }

    public static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    public static string Time(DateTime time) => time.ToString("u", CultureInfo.InvariantCulture);

    private static IAnsiConsole Create()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(Console.Out),
            Ansi = Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect,
        });
        if (Console.IsOutputRedirected) { console.Profile.Width = 200; }
        return console;
    }
}
