using System.Text.Json.Serialization;

namespace Cluster.Contracts.Api;

/// <summary>What a caller of the API may do. Each role may also do what those before it may.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Role>))]
public enum Role
{
    None = 0,

    /// <summary>Reads everything: jobs, logs, checkpoints, workers.</summary>
    Viewer,

    /// <summary>Submits jobs, and cancels, pauses, resumes and extends them.</summary>
    Submitter,

    /// <summary>Drains workers, and ends the cluster.</summary>
    Admin,
}
