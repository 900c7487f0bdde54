using System.Text;
using System.Text.Json;
using Cluster.Contracts;
using Cluster.Contracts.Lineage;

namespace Cluster.Trainer.Worker;

/// <summary>
/// Every evaluation of a job, a line each: <c>evaluations.jsonl</c> in its folder, which outlasts what the control plane keeps.
/// Rank 0 appends; a round that is evaluated again after a restart gets a second line with the same numbers, but for sites that came or went. A disk that takes
/// no more costs lines and never the training.
/// </summary>
internal static class EvaluationFile
{
    /// <returns>Why it could not be written, in words; null when it was.</returns>
    public static string? Append(string jobDirectory, EvaluationRecord record)
    {
        var path = Path.Combine(jobDirectory, JobLayout.Evaluations);
        try
        {
            using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
            file.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(record, LineageJson.Default.EvaluationRecord) + '\n'));
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"the evaluation after round {record.Round} could not be added to {path}: {e.Message}";
        }
    }
}
