namespace Cluster.Contracts.Jobs;

/// <summary>Where a job stands.</summary>
/// <remarks>
/// <code>
///   Unknown --submit--> Waiting --workers--> Running --stop---> Stopping --> Cancelled
///                          ^                  |   \--pause--> Pausing ----> Paused
///                          +-all workers gone-+    \------------------> Succeeded | Failed
///   Paused, Failed, Cancelled --resume--> Waiting
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

    /// <summary>Asked to pause: its workers end at a checkpoint.</summary>
    Pausing,

    /// <summary>At a checkpoint, without workers, until it is resumed.</summary>
    Paused,
}

public static class JobStates
{
    extension(JobState state)
    {
        /// <summary>Nothing more happens by itself; only a person's resume leads out of Failed and Cancelled.</summary>
        public bool IsFinal => state is JobState.Succeeded or JobState.Failed or JobState.Cancelled;

        /// <summary>Its workers are at work, or on their way to a checkpoint.</summary>
        public bool IsActive => state is JobState.Running or JobState.Stopping or JobState.Pausing;
    }
}
