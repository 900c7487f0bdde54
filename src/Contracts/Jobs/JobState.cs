namespace Cluster.Contracts.Jobs;

/// <summary>Where a job stands. Succeeded, Failed and Cancelled are final.</summary>
/// <remarks>
/// <code>
///   Unknown --submit--> Waiting --workers--> Running --stop--> Stopping
///                          |                    |                 |
///                          +--------------------+-----------------+--> Succeeded | Failed | Cancelled
/// </code>
/// </remarks>
public enum JobState
{
    Unknown = 0,

    /// <summary>In the queue until the pool has workers for it.</summary>
    Waiting,

    Running,

    /// <summary>Asked to stop: its workers end at a checkpoint.</summary>
    Stopping,

    Succeeded,

    Failed,

    Cancelled,
}

public static class JobStates
{
    extension(JobState state)
    {
        /// <summary>A final state never changes again.</summary>
        public bool IsFinal => state is JobState.Succeeded or JobState.Failed or JobState.Cancelled;
    }
}
