using Orleans.Storage;

namespace Cluster.Tests.Storage;

public sealed class GrainStorageTests
{
    [Fact]
    public async Task What_was_written_is_there_after_the_store_was_opened_again()
    {
        await using var store = new StoreFixture();
        await store.Write("a", await store.Read("a"), "first");
        await store.Write("b", await store.Read("b"), new string('ß', 500_000));
        await store.Reopen();

        var a = await store.Read("a");
        Assert.Equal((true, "first"), (a.RecordExists, a.State!.Text));
        Assert.Equal(500_000, (await store.Text("b")).Length);
        await store.Write("a", a, "second"); // Its etag holds over the restart.
        Assert.Equal("second", await store.Text("a"));
    }

    [Fact]
    public async Task A_grain_that_was_never_written_is_fresh_and_does_not_exist()
    {
        await using var store = new StoreFixture();
        var state = new Orleans.GrainState<Note>(new Note { Text = "left over" }) { ETag = "7", RecordExists = true };
        await store.Storage.ReadStateAsync("note", StoreFixture.Grain("nobody"), state);
        Assert.Equal((false, null, ""), (state.RecordExists, state.ETag, state.State!.Text));
    }

    [Fact]
    public async Task States_of_one_grain_and_grains_of_one_state_are_kept_apart()
    {
        await using var store = new StoreFixture();
        await store.Write("a", await store.Read("a"), "a");
        await store.Write("A", await store.Read("A"), "A");
        var other = new Orleans.GrainState<Note>(new Note { Text = "other" });
        await store.Storage.WriteStateAsync("other", StoreFixture.Grain("a"), other);
        Assert.Equal("a", await store.Text("a"));
        Assert.Equal("A", await store.Text("A"));
    }

    [Fact]
    public async Task A_write_over_what_another_activation_wrote_is_refused_and_changes_nothing()
    {
        await using var store = new StoreFixture();
        var (mine, others) = (await store.Read("a"), await store.Read("a"));
        await store.Write("a", mine, "mine");
        var first = await Assert.ThrowsAsync<InconsistentStateException>(() => store.Write("a", others, "theirs"));
        Assert.Equal((mine.ETag, "none"), (first.StoredEtag, first.CurrentEtag));

        var zombie = await store.Read("a");
        await store.Write("a", mine, "mine again");
        var second = await Assert.ThrowsAsync<InconsistentStateException>(() => store.Write("a", zombie, "from the grave"));
        Assert.Equal((mine.ETag, zombie.ETag), (second.StoredEtag, second.CurrentEtag));
        await Assert.ThrowsAsync<InconsistentStateException>(() => store.Clear("a", zombie));
        Assert.Equal("mine again", await store.Text("a"));
    }

    [Fact]
    public async Task A_cleared_state_is_gone_and_an_etag_from_before_never_fits_what_comes_after()
    {
        await using var store = new StoreFixture();
        var state = await store.Read("a");
        await store.Write("a", state, "old life");
        var zombie = await store.Read("a");
        await store.Clear("a", state);
        Assert.Equal((false, null, ""), (state.RecordExists, state.ETag, state.State!.Text));
        Assert.False((await store.Read("a")).RecordExists);
        await Assert.ThrowsAsync<InconsistentStateException>(() => store.Write("a", zombie, "from the grave"));

        await store.Write("a", state, "new life");
        await Assert.ThrowsAsync<InconsistentStateException>(() => store.Write("a", zombie, "from the grave"));
        Assert.Equal("new life", await store.Text("a"));
    }

    [Fact]
    public async Task To_clear_what_is_not_there_is_no_mistake_but_what_was_never_read_is_not_cleared()
    {
        await using var store = new StoreFixture();
        var state = await store.Read("a");
        await store.Clear("a", state);
        await store.Write("a", await store.Read("a"), "someone's");
        await Assert.ThrowsAsync<InconsistentStateException>(() => store.Clear("a", state));
        Assert.True((await store.Read("a")).RecordExists);
    }

    [Fact]
    public async Task Of_many_that_write_one_grain_at_once_exactly_one_succeeds_each_time()
    {
        await using var store = new StoreFixture();
        for (var round = 0; round < 20; round++)
        {
            var activations = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => store.Read("a")));
            var refused = 0;
            await Task.WhenAll(activations.Select(async (state, i) =>
            {
                try
                {
                    await store.Write("a", state, $"{round}-{i}");
                }
                catch (InconsistentStateException)
                {
                    Interlocked.Increment(ref refused);
                }
            }));
            Assert.Equal(9, refused);
        }
    }

    [Fact]
    public async Task Thousands_of_grains_written_at_once_are_all_there()
    {
        await using var store = new StoreFixture();
        const int grains = 2_000;
        await Task.WhenAll(Enumerable.Range(0, grains).Select(async i => await store.Write($"g{i}", await store.Read($"g{i}"), $"text {i}")));
        await store.Reopen();
        var texts = await Task.WhenAll(Enumerable.Range(0, grains).Select(i => store.Text($"g{i}")));
        Assert.Equal(Enumerable.Range(0, grains).Select(i => $"text {i}"), texts);
    }

    [Fact]
    public async Task A_state_that_cannot_be_read_is_named()
    {
        await using var store = new StoreFixture();
        await store.Write("a", await store.Read("a"), "text");
        var damage = store.Store.Statement("UPDATE grain_state SET payload = x'ffffffff'");
        await store.Store.Run(damage.ExecuteNonQuery);
        var problem = await Assert.ThrowsAsync<Orleans.Runtime.OrleansException>(() => store.Read("a"));
        Assert.StartsWith("the state 'note' of job/a is in the store, but cannot be read: ", problem.Message, StringComparison.Ordinal);
    }
}
