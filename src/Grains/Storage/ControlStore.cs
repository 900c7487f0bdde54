using Cluster.Contracts;
using Microsoft.Data.Sqlite;

namespace Cluster.Grains.Storage;

/// <summary>
/// The embedded store of the control plane: one SQLite file, <c>control.db</c>, that one silo holds for itself.
/// </summary>
/// <remarks>
/// Why this shape: a cluster of one silo needs durable state and nothing to install. A write is in the operating system's hands
/// when it is acknowledged (write-ahead log, <c>synchronous=NORMAL</c>), so it survives the death of the process, however it
/// dies; after a power failure the file is intact but may lack the last moments. Where those matter, Redis keeps the state.
/// <para>
/// There is one connection, used by one loop (<see cref="GroupCommit"/>), in exclusive locking mode: the operating system's lock on
/// the file keeps a second silo out and ends with the process.
/// </para>
/// </remarks>
internal sealed class ControlStore : IAsyncDisposable
{
    public const string FileName = "control.db";

    /// <summary>"Clus" in ASCII: what the file says it is.</summary>
    private const int ApplicationId = 0x436c7573;

    /// <summary>Of <see cref="Schema"/>; a file with a higher one was written by a newer program.</summary>
    private const int SchemaVersion = 1;

    private const string Schema = """
        CREATE TABLE IF NOT EXISTS grain_state (
            grain   TEXT    NOT NULL,
            name    TEXT    NOT NULL,
            etag    INTEGER NOT NULL,
            payload BLOB    NOT NULL,
            UNIQUE (grain, name));
        CREATE TABLE IF NOT EXISTS reminder (
            grain    TEXT    NOT NULL,
            name     TEXT    NOT NULL,
            hash     INTEGER NOT NULL, -- of the grain id, 0 to 2^32 - 1: silos share the reminders out by it
            start_at INTEGER NOT NULL, -- ticks, UTC
            period   INTEGER NOT NULL, -- ticks
            etag     INTEGER NOT NULL,
            UNIQUE (grain, name));
        """;

    private readonly SqliteConnection _connection;
    private readonly GroupCommit _commits;

    private ControlStore(SqliteConnection connection, string path)
    {
        _connection = connection;
        _commits = new GroupCommit(connection, new StoreProblem(path));
    }

    /// <summary>Opens the store in this folder, which is made if it is not there, and holds it until disposal.</summary>
    /// <exception cref="BadInputException">The folder cannot be used, another silo holds the store, or the file is damaged.</exception>
    public static ControlStore Open(string folder)
    {
        var path = Path.Combine(StoreFolder.MakeReady(folder), FileName);
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Pooling = false,
            DefaultTimeout = 1, // Seconds to wait for the lock: a silo that is just ending may still hold it.
        }.ToString());
        try
        {
            connection.Open();
            Prepare(connection, path);
            return new(connection, path);
        }
        catch (Exception e)
        {
            connection.Dispose();
            if (e is SqliteException problem) { throw new BadInputException(new StoreProblem(path).AtStart(problem)); }
            throw;
        }
    }

    /// <summary>A statement of this store, to be executed inside <see cref="Run"/> only.</summary>
    public SqliteCommand Statement(string sql, params ReadOnlySpan<string> parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var parameter in parameters) { command.Parameters.Add(new SqliteParameter { ParameterName = parameter }); }
        return command;
    }

    /// <summary>
    /// Runs the work alone on the connection; what it wrote is durable when the task completes. Work may be run twice (the first
    /// time is rolled back), so it must have no other effects than its statements and its result.
    /// </summary>
    /// <exception cref="Orleans.Runtime.OrleansException">The file could not be read or written; nothing of the work has happened.</exception>
    public Task<T> Run<T>(Func<T> work) => _commits.Run(work);

    /// <summary>Finishes what was begun, and lets another silo have the file.</summary>
    public async ValueTask DisposeAsync()
    {
        await _commits.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private static void Prepare(SqliteConnection connection, string path)
    {
        Execute("PRAGMA locking_mode = EXCLUSIVE");
        Execute("PRAGMA journal_mode = WAL");
        Execute("PRAGMA synchronous = NORMAL");
        Execute("BEGIN EXCLUSIVE"); // Takes the lock now, and keeps it after the commit.
        var (application, version) = (Number("PRAGMA application_id"), Number("PRAGMA user_version"));
        if (application is not (0 or ApplicationId) || (application == 0 && Number("SELECT count(*) FROM sqlite_schema") > 0))
        {
            throw new BadInputException($"{path} is a database of another program: move it away, or set Cluster:Store to another folder.");
        }

        if (version > SchemaVersion)
        {
            throw new BadInputException($"{path} was written by a newer version of this program (format {version}; this one knows {SchemaVersion}): start that version, or set Cluster:Store to another folder.");
        }

        if (Scalar("PRAGMA quick_check(1)") is string found and not "ok") { throw new BadInputException(new StoreProblem(path).Damaged(found)); }
        Execute(Schema);
        Execute($"PRAGMA application_id = {ApplicationId}");
        Execute($"PRAGMA user_version = {SchemaVersion}");
        Execute("COMMIT");

        void Execute(string sql) => Scalar(sql);
        long Number(string sql) => (long)Scalar(sql)!;
        object? Scalar(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            return command.ExecuteScalar();
        }
    }
}
