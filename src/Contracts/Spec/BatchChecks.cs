namespace Cluster.Contracts.Spec;

/// <summary>Rules of a batch and the leaves that it is cut into.</summary>
internal static class BatchChecks
{
    /// <summary>Leaves are the unit of work; a list of many more of them than workers would only cost.</summary>
    private const int MaxLeaves = 65_536;

    /// <param name="batchKey">Where the values stand.</param>
    /// <param name="leafKey">Where the values stand.</param>
    public static void Check(int? samples, int? perLeaf, string batchKey, string leafKey, SpecReport report)
    {
        if ((samples, perLeaf) is not ({ } batch, { } leaf))
        {
            report.Broken(batchKey, "no such key", "samples per round, a whole number at least 1");
        }
        else if (leaf > batch)
        {
            report.Broken(leafKey, $"{leaf}, more than the batch of {batch}", $"a whole number at least 1 and at most {batch}", batchKey);
        }
        else if (((batch - 1) / leaf) + 1 is > MaxLeaves and var leaves)
        {
            report.Broken(leafKey, $"{leaf}, which cuts the batch of {batch} into {leaves} leaves", $"at most {MaxLeaves} leaves per round", batchKey);
        }
    }
}
