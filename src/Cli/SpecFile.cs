using Cluster.Contracts;
using Cluster.Contracts.Spec;

namespace Cluster.Cli;

/// <summary>Reads a spec for a person: every problem at once, then exit code 2.</summary>
internal static class SpecFile
{
    /// <exception cref="BadInputException">With one line for each problem.</exception>
    public static JobSpec Read(string path, IReadOnlyList<string> overrides)
    {
        var result = SpecReader.ReadFile(path, overrides);
        return result.Spec ?? throw new BadInputException(string.Join(Environment.NewLine, result.Problems));
    }
}
