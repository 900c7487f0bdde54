namespace Cluster.Contracts.Spec.Continual;

/// <summary>
/// What a batch consists of, by <c>kind</c>. The shares hold exactly in every batch: a share of s gives s·batch samples, and where
/// that is no whole number one more or one less, so that the sum over the stage is right.
/// </summary>
public abstract record MixtureSpec
{
    private MixtureSpec() { }

    /// <summary>The stage's own data alone.</summary>
    public sealed record Current : MixtureSpec;

    /// <summary>A part from the earlier stages in equal shares, the rest from the stage itself.</summary>
    public sealed record Replay : MixtureSpec
    {
        /// <summary>The earlier stages' part, together.</summary>
        [Above(0), Below(1)]
        public required double Share { get; init; }
    }

    /// <summary>The stage and all earlier ones in equal shares.</summary>
    public sealed record Equal : MixtureSpec;

    /// <summary>A share for each data set that is named; they sum to 1.</summary>
    public sealed record Shares : MixtureSpec
    {
        [NotEmpty]
        public required ValueList<ShareSpec> Of { get; init; }
    }
}

public sealed record ShareSpec
{
    /// <summary>This stage or an earlier one.</summary>
    [Name]
    public required string Stage { get; init; }

    [Above(0), AtMost(1)]
    public required double Share { get; init; }
}
