namespace Cluster.Tests.Participation;

/// <summary>Goes on when it is told to.</summary>
internal sealed class ManualClock : TimeProvider
{
    private long _now;

    public override long TimestampFrequency => 1_000;

    public override long GetTimestamp() => Interlocked.Read(ref _now);

    public void Advance(double seconds) => Interlocked.Add(ref _now, (long)(seconds * TimestampFrequency));
}
