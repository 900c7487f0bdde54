using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Jobs;

/// <summary>What a job must not forget. Rounds and samples are not here: they come again with the next heartbeats.</summary>
[GenerateSerializer, Immutable, Alias("cluster.job-grain-state")]
internal sealed record JobGrainState
{
    [Id(0)] public JobState State { get; init; }

    /// <summary>Why it is in this state, in words.</summary>
    [Id(1)] public string Reason { get; init; } = "no such job was submitted";

    /// <summary>Null only while Unknown.</summary>
    [Id(2)] public JobSubmission? Submission { get; init; }

    /// <summary>0 until the job has workers.</summary>
    [Id(3)] public long Generation { get; init; }

    /// <summary>The workers of this generation; the index is the rank.</summary>
    [Id(4)] public ImmutableArray<WorkerInfo> Members { get; init; } = [];

    [Id(5)] public ImmutableArray<byte> Secret { get; init; } = [];

    /// <summary>By rank, how it ended; null while it goes on.</summary>
    [Id(6)] public ImmutableArray<Outcome?> Outcomes { get; init; } = [];

    /// <summary>-1 for a worker that is not a member.</summary>
    public int RankOf(string workerId)
    {
        for (var rank = 0; rank < Members.Length; rank++)
        {
            if (Members[rank].Id == workerId)
            {
                return rank;
            }
        }

        return -1;
    }

    public override string ToString() => $"{State}, generation {Generation}, {Members.Length} members: {Reason}"; // Without the secret.
}

/// <summary>The next state and why, in words. The same instance means that nothing changed.</summary>
internal readonly record struct JobStep(JobGrainState State, string Reason);
