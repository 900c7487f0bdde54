namespace Cluster.Tests;

/// <summary>
/// For tests that draw from torch's generator or count its tensors: both belong to the process, so these classes run alone.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TorchTests
{
    public const string Name = "torch";
}
