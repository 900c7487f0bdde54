namespace Cluster.Trainer.Rounds;

/// <summary>How a round loop ended without a fault. All ranks of the generation come to the same end after the same round.</summary>
internal abstract record LoopEnd
{
    private LoopEnd() { }

    /// <summary>All rounds are committed and the final evaluation is done.</summary>
    public sealed record Finished : LoopEnd;

    /// <summary>A rank was asked to stop.</summary>
    public sealed record Stopped : LoopEnd;

    /// <summary>A rank has heard of a newer generation, in which the job goes on.</summary>
    public sealed record ChangedOver(long Generation) : LoopEnd;

    /// <summary>The loss or gradient was not finite for too many rounds in a row.</summary>
    public sealed record TooManySkips(string Reason) : LoopEnd;

    /// <summary>Something that the method needs, such as a black box, gave no usable answer. The state is as good as before.</summary>
    public sealed record InTrouble(string Reason) : LoopEnd;
}
