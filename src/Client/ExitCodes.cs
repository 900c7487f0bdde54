using Cluster.Contracts.Jobs;

namespace Cluster.Client;

/// <summary>What the tool's process answers. Scripts rely on these: they never change.</summary>
public static class ExitCodes
{
    public const int Succeeded = 0;
    public const int Failed = 1;
    public const int BadInput = 2;
    public const int NoCluster = 3;

    /// <summary>The user stopped the job (128 + SIGINT, as shells have it).</summary>
    public const int Interrupted = 130;

    /// <param name="state">A final state.</param>
    public static int Of(JobState state) => state switch
    {
        JobState.Succeeded => Succeeded,
        JobState.Failed => Failed,
        JobState.Cancelled => Interrupted,
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "The job has not ended."),
    };
}
