namespace Cluster.Cli.Run;

/// <summary>What the user asked of <c>cluster run</c>.</summary>
internal sealed record RunOptions
{
    public required string SpecPath { get; init; }

    public IReadOnlyList<string> Overrides { get; init; } = [];

    public int? Workers { get; init; }

    public required string Store { get; init; }

    public string? Data { get; init; }

    public bool Resume { get; init; }

    public string? Json { get; init; }

    public int GatewayPort { get; init; }
}
