using System.Text.Json.Serialization;
using Cluster.Cli.Curves;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster export JOB PATH --format csv|parquet|tensorboard</c>: a job's curves as other programs read them.</summary>
internal static class CurveExport
{
    public static readonly string[] Formats = ["csv", "parquet", "tensorboard"];

    /// <param name="path">A file; for TensorBoard a folder, in which there will be a folder of the job's.</param>
    public static async Task<CurveFile> WriteAsync(ClusterClient client, string jobId, string format, string path, CancellationToken cancellationToken)
    {
        var metrics = await client.MetricsAsync(jobId, cancellationToken);
        var table = CurveTable.Of(metrics);
        if (table.Rounds.IsEmpty) { throw new BadInputException($"job {jobId} has no curves yet: no round of it was told"); }
        var file = Path.GetFullPath(path);
        switch (format)
        {
            case "csv":
                await WholeFile.WriteAsync(file, into => CsvCurves.WriteAsync(table, into));
                break;
            case "parquet":
                await WholeFile.WriteAsync(file, into => ParquetCurves.WriteAsync(table, into));
                break;
            default:
                var began = BeganAt(await client.ShowAsync(jobId, cancellationToken));
                file = Path.Combine(file, jobId, TensorBoardCurves.FileName(jobId, began));
                await WholeFile.WriteAsync(file, into =>
                {
                    TensorBoardCurves.Write(table, began, into);
                    return Task.CompletedTask;
                });
                break;
        }

        return new(file, format, table.Rounds.Length, metrics.Series.Count, metrics.RoundsPerPoint);
    }

    private static DateTime BeganAt(JobView job) => job.Events is [var first, ..] ? first.Time : DateTime.UnixEpoch;
}

/// <param name="Points">Rows of each curve.</param>
/// <param name="Curves">How many there are.</param>
/// <param name="RoundsPerPoint">Rounds that one point stands for.</param>
internal sealed record CurveFile(string Path, string Format, int Points, int Curves, long RoundsPerPoint);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CurveFile))]
[JsonSerializable(typeof(ReportFile))]
internal sealed partial class CurveVerbJson : JsonSerializerContext;
