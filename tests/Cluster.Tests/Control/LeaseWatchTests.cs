using Cluster.Grains.Jobs;

namespace Cluster.Tests.Control;

public sealed class LeaseWatchTests
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);
    private readonly ManualClock _clock = new();
    private readonly LeaseWatch _watch;

    public LeaseWatchTests() => _watch = new(_clock, Period);

    [Fact]
    public void A_worker_is_silent_when_it_was_not_heard_of_for_longer_than_its_lease()
    {
        _watch.Hear("w0");
        Live(TimeSpan.FromSeconds(1));
        _watch.Hear("w1");
        Live(TimeSpan.FromSeconds(2.25));
        Assert.Equal((true, false), (_watch.IsSilent("w0", Lease), _watch.IsSilent("w1", Lease)));
        _watch.Hear("w0");
        Assert.False(_watch.IsSilent("w0", Lease));
    }

    [Fact]
    public void When_the_silo_itself_was_stopped_that_is_nobodys_silence()
    {
        _watch.Hear("w0");
        _clock.Advance(TimeSpan.FromMinutes(5));
        _watch.Tick();
        Assert.False(_watch.IsSilent("w0", Lease));
        Live(Lease);
        Assert.True(_watch.IsSilent("w0", Lease));
    }

    [Fact]
    public void A_worker_that_was_never_heard_of_has_its_whole_lease()
    {
        Live(TimeSpan.FromSeconds(10));
        Assert.False(_watch.IsSilent("w0", Lease));
        Live(Lease - Period);
        Assert.False(_watch.IsSilent("w0", Lease));
        Live(Period * 2);
        Assert.True(_watch.IsSilent("w0", Lease));
        _watch.Keep(new HashSet<string>());
        Assert.False(_watch.IsSilent("w0", Lease)); // Forgotten: it would begin anew.
    }

    private void Live(TimeSpan time)
    {
        for (var lived = TimeSpan.Zero; lived < time; lived += Period)
        {
            _clock.Advance(Period);
            _watch.Tick();
        }
    }

    private sealed class ManualClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += time.Ticks;
    }
}
