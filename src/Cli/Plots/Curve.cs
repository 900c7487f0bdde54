namespace Cluster.Cli.Plots;

/// <summary>A named line through points, in order of x.</summary>
internal sealed record Curve(string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y);
