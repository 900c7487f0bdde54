using Microsoft.Data.Sqlite;
using Orleans.Runtime;

namespace Cluster.Grains.Storage;

/// <summary>What SQLite's error codes mean to whoever runs the silo. See https://sqlite.org/rescode.html.</summary>
internal sealed class StoreProblem(string path)
{
    private const int ReadOnly = 8, InputOutput = 10, Corrupt = 11, Full = 13, CannotOpen = 14, NotADatabase = 26;
    private const int Busy = 5, Locked = 6;

    /// <summary>While the store is opened: what is wrong, and what to do.</summary>
    public string AtStart(SqliteException e) => e.SqliteErrorCode switch
    {
        Busy or Locked => $"the store {path} is in use by another silo: end that one, or give each its own folder with Cluster:Store.",
        CannotOpen or ReadOnly => $"the store {path} cannot be opened for writing: set Cluster:Store to a folder that this user may write to.",
        Corrupt or NotADatabase => Damaged(Words(e)),
        _ => Later(e),
    };

    /// <summary>While the silo runs.</summary>
    public OrleansException WhileRunning(SqliteException e) => new(Later(e));

    public string Damaged(string how) =>
        $"the store {path} is damaged ({how}): put back a copy of it, or move it away to begin without the jobs that it holds. Checkpoints are not in it.";

    private string Later(SqliteException e) => e.SqliteErrorCode switch
    {
        Full => $"the disk of the store {path} is full: nothing was changed. Make room there.",
        ReadOnly => $"the store {path} cannot be written any more: nothing was changed.",
        InputOutput => $"the store {path} could not be read or written ({Words(e)}): nothing was changed.",
        Corrupt or NotADatabase => Damaged(Words(e)),
        _ => $"the store {path} failed ({Words(e)}): nothing was changed.",
    };

    private static string Words(SqliteException e) => $"SQLite {e.SqliteExtendedErrorCode}: {raw(e.SqliteExtendedErrorCode)}";

    private static string raw(int code) => SQLitePCL.raw.sqlite3_errstr(code).utf8_to_string();
}
