using OpenTelemetry.Trace;

namespace Cluster.ServiceDefaults;

/// <summary>
/// Which traces begin here. Workers call grains several times a second, and probes and scrapers ask without end: what they do is part of a
/// trace that somebody else began, or of none.
/// </summary>
internal sealed class RootSampler : Sampler
{
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
    {
        var isGrainCall = samplingParameters.Name.Contains('/', StringComparison.Ordinal); // Such as IWorkerGrain/Heartbeat.
        var path = samplingParameters.Tags?.FirstOrDefault(tag => tag.Key == "url.path").Value as string;
        var isProbe = path == TelemetryExtensions.ScrapePath || path?.StartsWith("/health/", StringComparison.Ordinal) == true;
        return new(isGrainCall || isProbe ? SamplingDecision.Drop : SamplingDecision.RecordAndSample);
    }
}
