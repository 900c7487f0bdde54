using Cluster.Contracts;
using Cluster.Grains.Storage;
using Cluster.Tests.Data;
using Microsoft.Data.Sqlite;
using Orleans.Runtime;

namespace Cluster.Tests.Storage;

/// <summary>What an operator meets: a store that is held, damaged, foreign, full.</summary>
public sealed class ControlStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, ControlStore.FileName);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_second_holder_is_refused_until_the_first_lets_go()
    {
        await using (ControlStore.Open(_folder.Path))
        {
            Assert.Equal($"the store {File} is in use by another silo: end that one, or give each its own folder with Cluster:Store.", Refusal());
        }

        await using var next = ControlStore.Open(_folder.Path);
    }

    [Fact]
    public async Task A_damaged_file_is_refused_by_name()
    {
        await using (var store = ControlStore.Open(_folder.Path))
        {
            var insert = store.Statement("INSERT INTO grain_state VALUES ($grain, 'note', 1, randomblob(3000))", "$grain");
            await store.Run(() => Enumerable.Range(0, 100).Sum(i => insert.Bind($"job/{i}").ExecuteNonQuery()));
        }

        using (var file = System.IO.File.OpenWrite(File))
        {
            file.Seek(5 * 4096, SeekOrigin.Begin);
            file.Write(new byte[8 * 4096]);
        }

        Assert.StartsWith($"the store {File} is damaged (", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_database_is_refused()
    {
        _folder.Write(ControlStore.FileName, new string('x', 10_000));
        Assert.StartsWith($"the store {File} is damaged (SQLite 26: file is not a database): put back a copy of it", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_database_of_another_program_is_refused_and_left_as_it_is()
    {
        Execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (7)");
        Assert.StartsWith($"{File} is a database of another program", Refusal(), StringComparison.Ordinal);
        Assert.Equal(7L, Execute("SELECT x FROM theirs"));
    }

    [Fact]
    public async Task A_file_of_a_newer_format_is_refused()
    {
        await ControlStore.Open(_folder.Path).DisposeAsync();
        Execute("PRAGMA user_version = 9");
        Assert.StartsWith($"{File} was written by a newer version of this program (format 9; this one knows 1)", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_a_file_is_refused()
    {
        var file = _folder.Write("file", "text");
        var refused = Assert.Throws<BadInputException>(() => ControlStore.Open(file));
        Assert.Equal($"the store folder {file} cannot be used: it is a file. Set Cluster:Store to a folder that this user may write to.", refused.Message);
    }

    [Fact]
    public void A_file_that_cannot_be_opened_is_refused()
    {
        Directory.CreateDirectory(File);
        Assert.Equal($"the store {File} cannot be opened for writing: set Cluster:Store to a folder that this user may write to.", Refusal());
    }

    [SkippableFact]
    public async Task The_folder_is_its_owners_alone()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no file modes");
        var folder = Path.Combine(_folder.Path, "a", "b");
        await ControlStore.Open(folder).DisposeAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, new DirectoryInfo(folder).UnixFileMode);
    }

    /// <summary>A limit of pages stands in for the end of the disk: SQLite answers both with the same error.</summary>
    [Fact]
    public async Task A_full_disk_refuses_what_does_not_fit_keeps_what_is_there_and_goes_on_when_there_is_room()
    {
        await using var store = new StoreFixture();
        var kept = await store.Read("kept");
        await store.Write("kept", kept, "first");
        await Limit(20);

        var large = await store.Read("large");
        var writes = new[] { store.Write("kept", kept, "second"), store.Write("large", large, new string('x', 1_000_000)) };
        var full = await Assert.ThrowsAsync<OrleansException>(() => Task.WhenAll(writes));
        Assert.Equal($"the disk of the store {store.File} is full: nothing was changed. Make room there.", full.Message);
        Assert.True(writes[0].IsCompletedSuccessfully); // It shared a transaction with the one that did not fit.
        Assert.Equal((false, null), (large.RecordExists, large.ETag));

        await Limit(1_000_000);
        await store.Write("large", large, new string('x', 1_000_000));
        await store.Reopen();
        Assert.Equal("second", await store.Text("kept"));
        Assert.Equal(1_000_000, (await store.Text("large")).Length);

        Task Limit(int pages)
        {
            var limit = store.Store.Statement($"PRAGMA max_page_count = {pages}");
            return store.Store.Run(limit.ExecuteScalar);
        }
    }

    [Fact]
    public async Task Work_after_the_end_is_refused_and_work_before_it_is_finished()
    {
        var store = ControlStore.Open(_folder.Path);
        var insert = store.Statement("INSERT INTO grain_state VALUES ($grain, 'note', 1, x'00')", "$grain");
        var writes = Enumerable.Range(0, 1_000).Select(i => store.Run(() => insert.Bind($"job/{i}").ExecuteNonQuery())).ToArray();
        await store.DisposeAsync();
        Assert.All(await Task.WhenAll(writes), count => Assert.Equal(1, count));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.Run(() => 1));
        Assert.Equal(1_000L, Execute("SELECT count(*) FROM grain_state"));
    }

    private string Refusal() => Assert.Throws<BadInputException>(() => ControlStore.Open(_folder.Path)).Message;

    /// <summary>As another program would.</summary>
    private object? Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
