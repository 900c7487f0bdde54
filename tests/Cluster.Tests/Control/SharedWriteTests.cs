using Cluster.Grains;

namespace Cluster.Tests.Control;

public sealed class SharedWriteTests
{
    private readonly SlowStore _store = new();
    private readonly SharedWrite<string> _write;
    private int _givenUp;

    public SharedWriteTests() => _write = new(_store, () => _givenUp++);

    [Fact]
    public async Task Changes_that_come_while_a_write_is_on_its_way_share_the_next()
    {
        var callers = new List<Task>();
        for (var i = 0; i < 1000; i++)
        {
            _write.Change($"{i}");
            callers.Add(_write.Written());
        }

        Assert.All(callers, c => Assert.False(c.IsCompleted));
        _store.Finish();
        await callers[0].WaitAsync(TimeSpan.FromSeconds(5));
        Assert.False(callers[999].IsCompleted); // Its change was not in that write.
        _store.Finish();
        await Task.WhenAll(callers).WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(["0", "999"], _store.Written);
    }

    [Fact]
    public void Nothing_is_written_when_nothing_changed() => Assert.True(_write.Written().IsCompletedSuccessfully);

    [Fact]
    public async Task A_write_that_fails_fails_its_callers_and_gives_up()
    {
        _write.Change("x");
        var caller = _write.Written();
        _store.Finish(new InvalidOperationException("the disk is full"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => caller);
        Assert.Equal(1, _givenUp);
    }

    /// <summary>Each write takes the state as it is when it begins and waits to be finished by the test.</summary>
    private sealed class SlowStore : IPersistentState<string>
    {
        private TaskCompletionSource _pending = new();

        public List<string> Written { get; } = [];

        public string State { get; set; } = "";

        public string Etag => "";

        public bool RecordExists => true;

        public Task WriteStateAsync()
        {
            Written.Add(State);
            return (_pending = new()).Task;
        }

        public void Finish(Exception? failure = null)
        {
            if (failure is null)
            {
                _pending.SetResult();
            }
            else
            {
                _pending.SetException(failure);
            }
        }

        public Task ClearStateAsync() => throw new NotSupportedException();

        public Task ReadStateAsync() => throw new NotSupportedException();
    }
}
