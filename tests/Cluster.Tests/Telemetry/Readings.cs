using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Cluster.Tests.Telemetry;

/// <summary>What this process measures and traces from now on: measurements and finished spans of our own sources.</summary>
internal sealed class Readings : IDisposable
{
    private readonly MeterListener _meters = new();
    private readonly ActivityListener _activities;
    private readonly ConcurrentQueue<Activity> _spans = new();
    private readonly ConcurrentQueue<Measured> _measured = new();

    public Readings()
    {
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name.StartsWith("Cluster.", StringComparison.Ordinal)) { listener.EnableMeasurementEvents(instrument); }
        };
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _meters.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _meters.Start();
        _activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name.StartsWith("Cluster.", StringComparison.Ordinal),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _spans.Enqueue,
        };
        ActivitySource.AddActivityListener(_activities);
    }

    /// <summary>Other tests run beside: only what has this value among its tags.</summary>
    public IReadOnlyList<Measured> MeasuredWith(string value) => [.. _measured.Where(m => m.Tags.ContainsValue(value))];

    public IReadOnlyList<Measured> Of(string instrument) => [.. _measured.Where(m => m.Instrument == instrument)];

    public IReadOnlyList<Activity> SpansOf(ActivityTraceId trace) => [.. _spans.Where(span => span.TraceId == trace)];

    /// <summary>Asks the gauges.</summary>
    public void Observe() => _meters.RecordObservableInstruments();

    public void Dispose()
    {
        _meters.Dispose();
        _activities.Dispose();
    }

    private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var kept = new Dictionary<string, string>();
        foreach (var (key, tag) in tags) { kept[key] = $"{tag}"; }
        _measured.Enqueue(new(instrument.Name, instrument.Meter.Scope, value, kept));
    }

    /// <param name="Scope">The meter factory of the host, where there is one.</param>
    internal sealed record Measured(string Instrument, object? Scope, double Value, IReadOnlyDictionary<string, string> TagsOf)
    {
        public Dictionary<string, string> Tags { get; } = new(TagsOf);
    }
}
