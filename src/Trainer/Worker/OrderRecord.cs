using System.Collections.Immutable;
using System.Text.Json;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Lineage;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Trainer.Worker;

/// <summary>
/// What orders have made of a job, in its folder, where people and the lineage look: <c>spec.yaml</c> with all its stages and
/// releases, and <c>orders.json</c>; of a branch, which nobody else makes a folder for, its <c>spec.yaml</c>. Rank 0 writes both when it takes the job up. A disk that takes no more costs these files and
/// never the training.
/// </summary>
internal static class OrderRecord
{
    /// <summary>What the job was before each of its orders, oldest first.</summary>
    public static ImmutableArray<EarlierSpec> Earlier(ImmutableArray<JobOrder> orders) =>
        [.. orders.Select((order, i) => new EarlierSpec(order.SpecHashBefore!, orders[i..].Min(later => later.AgreesUntil)))];

    /// <returns>Why it could not be written, in words; null when it was, or there is nothing to write.</returns>
    public static string? Write(JobSubmission submission)
    {
        if (submission is { Orders.IsEmpty: true, Trunk: null }) { return null; }
        try
        {
            Replace(submission.Directory, JobLayout.Spec, submission.SpecText);
            if (!submission.Orders.IsEmpty) { Replace(submission.Directory, JobLayout.Orders, JsonSerializer.Serialize(submission.Orders, LineageJson.Default.ImmutableArrayJobOrder)); }
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"the job's spec and orders could not be written to {submission.Directory}: {e.Message}";
        }
    }

    /// <summary>In one step: a reader sees the file as it was or as it is.</summary>
    private static void Replace(string directory, string name, string text)
    {
        var partial = Path.Combine(directory, $".{name}.partial");
        File.WriteAllText(partial, text);
        File.Move(partial, Path.Combine(directory, name), overwrite: true);
    }
}
