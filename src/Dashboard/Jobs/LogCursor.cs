using System.Collections.Immutable;
using System.Globalization;

namespace Cluster.Dashboard.Jobs;

/// <summary>How far the log of each worker was read, in bytes. As text, <c>worker-0:512,worker-1:64</c>, it is the id of an event.</summary>
internal sealed class LogCursor
{
    public static LogCursor Start { get; } = new(ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal));

    private readonly ImmutableSortedDictionary<string, long> _offsets;

    private LogCursor(ImmutableSortedDictionary<string, long> offsets) => _offsets = offsets;

    public long Of(string worker) => _offsets.GetValueOrDefault(worker);

    public LogCursor With(string worker, long offset) => new(_offsets.SetItem(worker, offset));

    public override string ToString() => string.Join(',', _offsets.Select(o => string.Create(CultureInfo.InvariantCulture, $"{o.Key}:{o.Value}")));

    /// <summary>Null when the text is not a cursor's.</summary>
    public static LogCursor? Parse(string text)
    {
        var cursor = Start;
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part.Split(':') is not [var worker, var digits] || !long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
            {
                return null;
            }

            cursor = cursor.With(worker, offset);
        }

        return cursor;
    }
}
