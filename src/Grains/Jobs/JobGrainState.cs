using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Jobs;

/// <summary>
/// What a job must not forget, and two lists without an id that are not stored: workers say it again with every heartbeat.
/// </summary>
[GenerateSerializer, Immutable, Alias("cluster.job-grain-state")]
internal sealed record JobGrainState
{
    [Id(0)] public JobState State { get; init; }

    /// <summary>Why it is in this state, in words.</summary>
    [Id(1)] public string Reason { get; init; } = "no such job was submitted";

    /// <summary>Null only while Unknown.</summary>
    [Id(2)] public JobSubmission? Submission { get; init; }

    /// <summary>UTC; for people.</summary>
    [Id(3)] public DateTime SubmittedAt { get; init; }

    /// <summary>The index has it.</summary>
    [Id(4)] public bool IsListed { get; init; }

    /// <summary>Fencing number of the newest generation; 0 until the job has had workers.</summary>
    [Id(5)] public long Generation { get; init; }

    /// <summary>Workers of the newest generation; the index is the rank. Empty while Waiting and Paused.</summary>
    [Id(6)] public ImmutableArray<WorkerInfo> Members { get; init; } = [];

    /// <summary>32 random bytes of this generation; the shell makes them, so that the machine knows no chance.</summary>
    [Id(7)] public ImmutableArray<byte> Secret { get; init; } = [];

    /// <summary>The newest generation follows a loss: nobody waits for the one before.</summary>
    [Id(8)] public bool IsRecovery { get; init; }

    /// <summary>Every member computes in the newest generation.</summary>
    [Id(9)] public bool IsSettled { get; init; }

    /// <summary>While the ranks have yet to change over: members of the generation before, which still computes. Else empty.</summary>
    [Id(10)] public ImmutableArray<WorkerInfo> Previous { get; init; } = [];

    /// <summary>By rank, how it ended; null while it goes on. Only the first that ended keeps its environment.</summary>
    [Id(11)] public ImmutableArray<Outcome?> Outcomes { get; init; } = [];

    /// <summary>The job's workers as the pool last said, in its order.</summary>
    [Id(12)] public ImmutableArray<WorkerInfo> Granted { get; init; } = [];

    /// <summary>-1 before the first grant.</summary>
    [Id(13)] public long GrantVersion { get; init; } = -1;

    /// <summary>Workers that the job lost and the pool has not been heard to know of.</summary>
    [Id(14)] public ImmutableArray<WorkerInfo> Returned { get; init; } = [];

    /// <summary>Ids of members that have told of the loss of their generation: they live, and wait for the next.</summary>
    [Id(15)] public ImmutableArray<string> Faulted { get; init; } = [];

    /// <summary>Ids of members that others lost and that have not been heard of since.</summary>
    [Id(16)] public ImmutableArray<string> Suspects { get; init; } = [];

    /// <summary>What the first of <see cref="Faulted"/> said.</summary>
    [Id(17)] public string? Loss { get; init; }

    /// <summary>Generations lost in the life of the job.</summary>
    [Id(18)] public int Recoveries { get; init; }

    /// <summary>Of these, the last ones without a committed round between them.</summary>
    [Id(19)] public int LostInARow { get; init; }

    /// <summary>Rounds committed when the last was lost; -1 for none.</summary>
    [Id(20)] public long LostRound { get; init; } = -1;

    /// <summary>Members that others lost and that live, since the last committed round: once for each time that one said so.</summary>
    [Id(21)] public ImmutableArray<Blame> Blames { get; init; } = [];

    /// <summary>Workers that the job does without although they live, and the pool has not been heard to know.</summary>
    [Id(22)] public ImmutableArray<WorkerInfo> Unreached { get; init; } = [];

    /// <summary>All that were ever stored, by number.</summary>
    [Id(23)] public ImmutableArray<JobOrder> Orders { get; init; } = [];

    /// <summary>The submission with the orders taken; null before the first.</summary>
    [Id(24)] public JobSubmission? Course { get; init; }

    /// <summary>What the job was before the stage that was appended last, until all its workers have that stage's data; null otherwise.</summary>
    [Id(25)] public JobSubmission? Before { get; init; }

    /// <summary>Releases that anneal apart and whose forks the trunk has passed, in that order.</summary>
    [Id(26)] public ImmutableArray<Branch> Branches { get; init; } = [];

    /// <summary>Not stored. Ids of granted workers that could be members.</summary>
    [field: NonSerialized]
    public ImmutableArray<string> Ready { get; init; } = [];

    /// <summary>Not stored. By rank: computes in the newest generation.</summary>
    [field: NonSerialized]
    public ImmutableArray<bool> Arrived { get; init; } = [];

    /// <summary>A generation is lost, and which of its members live is being asked.</summary>
    public bool IsBroken => !Suspects.IsEmpty;

    /// <summary>All members are to leave, so that nobody could hand the state on: they end at a checkpoint first.</summary>
    public bool IsParking => State is JobState.Running && !Members.Any(IsGranted);

    public bool HasPendingOrders => Orders.Any(order => order.State is OrderState.Stored);

    /// <summary>Its members end at a checkpoint, and go on from there with what was ordered.</summary>
    public bool IsHolding => State is JobState.Running && HasPendingOrders;

    /// <summary>Some of its branches have yet to be submitted.</summary>
    public bool OwesBranches => Branches.Any(branch => branch.Pending is not null);

    /// <summary>What workers are to compute. Null only while Unknown.</summary>
    public JobSubmission? Effective => Course ?? Submission;

    /// <summary>What the members are told.</summary>
    public bool WantsStop => State is JobState.Stopping or JobState.Pausing || IsParking || IsHolding;

    public bool TakesWorkers => State is JobState.Waiting || State.IsActive;

    /// <summary>-1 for a worker that is not a member, or another life of one.</summary>
    public int RankOf(WorkerInfo worker)
    {
        for (var rank = 0; rank < Members.Length; rank++)
        {
            if (Members[rank].IsSameProcess(worker))
            {
                return rank;
            }
        }

        return -1;
    }

    public bool IsGranted(WorkerInfo worker) => Granted.Any(worker.IsSameProcess);

    /// <summary>A member of the generation before that has yet to change over or to leave.</summary>
    public bool WasMember(WorkerInfo worker) => Previous.Any(worker.IsSameProcess);

    /// <summary>Whoever may hold the newest state: members that change over or leave in their old order, then newcomers.</summary>
    public ImmutableArray<WorkerInfo> Computing => [.. Previous, .. Members.Where(m => !WasMember(m))];

    /// <summary>Everybody whom the job expects to hear of.</summary>
    public ImmutableArray<WorkerInfo> Workers => [.. Computing, .. Granted.Where(g => RankOf(g) < 0 && !WasMember(g))];

    public override string ToString() => // Without the secret.
        $"{State}, generation {Generation}{(IsRecovery ? " (recovery)" : "")}{(IsSettled ? "" : " unsettled")}, "
        + $"members [{Ids(Members)}], previous [{Ids(Previous)}], granted [{Ids(Granted)}], ready [{string.Join(' ', Ready)}], "
        + $"suspects [{string.Join(' ', Suspects)}], {Outcomes.Count(o => o is not null)} outcomes: {Reason}";

    private static string Ids(ImmutableArray<WorkerInfo> workers) => string.Join(' ', workers.Select(w => w.Id));
}

/// <summary>A member said that it had lost another.</summary>
/// <param name="Generation">That was lost.</param>
[GenerateSerializer, Immutable, Alias("cluster.blame")]
internal readonly record struct Blame([property: Id(0)] long Generation, [property: Id(1)] string WorkerId);

/// <summary>The next state and why, in words. The same instance means that nothing changed.</summary>
/// <param name="Refusal">Why a person's wish cannot be, in words; null when it will be.</param>
internal readonly record struct JobStep(JobGrainState State, string Reason, string? Refusal = null);
