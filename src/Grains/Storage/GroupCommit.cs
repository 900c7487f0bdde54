using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace Cluster.Grains.Storage;

/// <summary>
/// One loop that runs all work on the connection. Work that came while the last transaction was on its way shares the next
/// one: a transaction's cost is paid once for all of it, and work that comes alone does not wait.
/// </summary>
internal sealed class GroupCommit : IAsyncDisposable
{
    /// <summary>Bounds how long the first of a group waits for the last.</summary>
    private const int MaxGroup = 256;

    private readonly Channel<Work> _queue = Channel.CreateUnbounded<Work>(new() { SingleReader = true });
    private readonly SqliteCommand _begin, _commit, _rollback;
    private readonly StoreProblem _problems;
    private readonly Task _loop;

    public GroupCommit(SqliteConnection connection, StoreProblem problems)
    {
        _problems = problems;
        (_begin, _commit, _rollback) = (Command("BEGIN"), Command("COMMIT"), Command("ROLLBACK"));
        _loop = Task.Run(RunAsync);

        SqliteCommand Command(string sql)
        {
            var command = connection.CreateCommand();
            command.CommandText = sql;
            return command;
        }
    }

    public Task<T> Run<T>(Func<T> work)
    {
        var item = new Work<T>(work);
        ObjectDisposedException.ThrowIf(!_queue.Writer.TryWrite(item), this);
        return item.Result;
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
        await _begin.DisposeAsync();
        await _commit.DisposeAsync();
        await _rollback.DisposeAsync();
    }

    private async Task RunAsync()
    {
        var group = new List<Work>(MaxGroup);
        while (await _queue.Reader.WaitToReadAsync())
        {
            group.Clear();
            while (group.Count < MaxGroup && _queue.Reader.TryRead(out var work)) { group.Add(work); }
            Commit(group);
        }
    }

    private void Commit(IReadOnlyList<Work> group)
    {
        var open = false;
        try
        {
            _begin.ExecuteNonQuery();
            open = true;
            foreach (var work in group) { work.Run(); }
            _commit.ExecuteNonQuery();
        }
        catch (Exception e)
        {
            if (open) { RollBack(); }
            if (group.Count == 1)
            {
                group[0].Fail(e is SqliteException problem ? _problems.WhileRunning(problem) : e);
            }
            else
            {
                foreach (var work in group) { Commit([work]); } // Only those at fault fail.
            }

            return;
        }

        foreach (var work in group) { work.Complete(); }
    }

    /// <summary>SQLite rolls back by itself after some errors, and then has nothing left to roll back.</summary>
    private void RollBack()
    {
        try
        {
            _rollback.ExecuteNonQuery();
        }
        catch (SqliteException)
        {
            // The next BEGIN fails if a transaction is still open, and tells its caller.
        }
    }

    private abstract class Work
    {
        public abstract void Run();

        public abstract void Complete();

        public abstract void Fail(Exception problem);
    }

    private sealed class Work<T>(Func<T> run) : Work
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T _result = default!;

        public Task<T> Result => _done.Task;

        public override void Run() => _result = run();

        public override void Complete() => _done.SetResult(_result);

        public override void Fail(Exception problem) => _done.SetException(problem);
    }
}
