using System.Globalization;
using System.Text;

namespace Cluster.Contracts.Spec;

/// <summary>Text in double quotes, with the escapes that YAML and JSON share.</summary>
internal static class Quote
{
    private const int ShownCharacters = 60;

    /// <summary>In full: reads back to the same text.</summary>
    public static string Full(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' or '\\' => quoted.Append('\\').Append(c),
                _ when Writable(c) => quoted.Append(c),
                _ => quoted.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)),
            };
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>For a message: cut when long, and a terminal never sees a control character of the user's file.</summary>
    public static string Show(string text) => Full(text.Length <= ShownCharacters ? text : $"{text.AsSpan(0, ShownCharacters)}...");

    /// <summary>False for what has no place in a name or path: control characters, line and paragraph separators, byte order marks.</summary>
    public static bool Writable(char c) => !char.IsControl(c) && c is not ('\u2028' or '\u2029' or '\uFEFF');
}
