using Microsoft.Data.Sqlite;

namespace Cluster.Grains.Storage;

internal static class Binding
{
    /// <summary>Sets the statement's parameters, in the order in which it was made with them.</summary>
    public static SqliteCommand Bind(this SqliteCommand statement, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++) { statement.Parameters[i].Value = values[i]; }
        return statement;
    }
}
