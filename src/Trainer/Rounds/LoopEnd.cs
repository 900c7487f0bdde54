namespace Cluster.Trainer.Rounds;

/// <summary>How a round loop ended without a fault.</summary>
internal abstract record LoopEnd
{
    private LoopEnd() { }

    /// <summary>All rounds are committed and the final evaluation is done.</summary>
    public sealed record Finished : LoopEnd;

    /// <summary>A rank was asked to stop; all ranks stand after the same round.</summary>
    public sealed record Stopped : LoopEnd;

    /// <summary>The loss or gradient was not finite for too many rounds in a row.</summary>
    public sealed record TooManySkips(string Reason) : LoopEnd;
}
