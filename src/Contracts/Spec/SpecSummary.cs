using Cluster.Contracts.Spec.Federated;

namespace Cluster.Contracts.Spec;

/// <summary>A spec in a few words, for screens and reports.</summary>
public static class SpecSummary
{
    /// <summary>The method as the spec spells it.</summary>
    public static string MethodOf(JobSpec spec) => SpecNames.Of(spec.Method);

    /// <summary>What is trained, and how: "mlp with lamb", "mlp with fedHyper g+cl and fedAvg, 6 of 30 clients a round".</summary>
    public static string Of(JobSpec spec)
    {
        var how = spec.Federated is { } federated
            ? $"{SchedulerOf(federated.Scheduler)} and {SpecNames.Of(federated.Server.GetType())}, {federated.ClientsPerRound} of {federated.Partition.ClientCount} clients a round"
            : spec.Continual is { BranchOf: { } branch }
            ? $"{SpecNames.Of(spec.Optimizer.Kind)}, release {branch.Release} of {branch.Job}"
            : spec.Continual is { } continual
            ? $"{SpecNames.Of(spec.Optimizer.Kind)} and the schedule {SpecNames.Of(continual.Schedule.GetType())}, {continual.Stages.Count} stage{(continual.Stages.Count == 1 ? "" : "s")}"
            : SpecNames.Of(spec.Optimizer.Kind);
        return $"{SpecNames.Of(spec.Model.GetType())} with {how}";
    }

    private static string SchedulerOf(SchedulerSpec scheduler) =>
        SpecNames.Of(scheduler.GetType()) + (scheduler is SchedulerSpec.FedHyper hyper ? $" {SpecNames.Of(hyper.Variant)}" : "");
}
