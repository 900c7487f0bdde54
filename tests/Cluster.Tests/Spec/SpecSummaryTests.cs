using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;

namespace Cluster.Tests.Spec;

public sealed class SpecSummaryTests
{
    [Fact]
    public void A_job_is_told_in_a_few_words()
    {
        Assert.Equal("mlp with lamb", SpecSummary.Of(SpecSamples.Read(SpecSamples.Digits)));
        Assert.Equal("mlp with fedHyper g+cl and fedAvg, 6 of 30 clients a round", SpecSummary.Of(SpecSamples.Read(SpecSamples.Federated)));
        Assert.Equal("gpt with adamw and the schedule infinite, 3 stages", SpecSummary.Of(Continual.ContinualSamples.Read()));
        Assert.Equal("fedHyper", SpecSummary.MethodOf(SpecSamples.Read(SpecSamples.Federated)));
    }

    [Theory]
    [InlineData("paper", 0.1, 10, 1.0 / 3, 3)]
    [InlineData("released", 0.001, 0.1, 0.2, 5)]
    [InlineData("robust", 0.001, 0.1, 1.0 / 3, 3)]
    public void Each_mode_has_its_bounds(string mode, double low, double high, double globalLow, double globalHigh)
    {
        var spec = (SchedulerSpec.FedHyper)SpecSamples.Read(SpecSamples.Federated, $"federated.scheduler.mode={mode}").Federated!.Scheduler;
        Assert.Equal((low, high), spec.LocalBounds(0.01));
        Assert.Equal((globalLow, globalHigh), spec.GlobalBounds);
        Assert.Equal((0.005, 0.02), (spec with { Mode = HyperMode.Robust, LocalGamma = 2 }).LocalBounds(0.01));
    }
}
