using System.Globalization;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Trainer.Worker;

/// <summary>
/// A worker's own lines about one job: <c>logs/WORKER.log</c> in the job's folder, where people look first when a job has
/// failed. Appended to; a disk that takes no more costs lines and never the training.
/// </summary>
internal sealed class JobLogFile : IDisposable
{
    private readonly TimeProvider _time;
    private readonly StreamWriter? _writer;

    public JobLogFile(string jobDirectory, string workerId, TimeProvider time)
    {
        _time = time;
        try
        {
            var folder = Directory.CreateDirectory(Path.Combine(jobDirectory, JobLayout.Logs)).FullName;
            var file = new FileStream(Path.Combine(folder, $"{workerId}.log"), FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
            _writer = new StreamWriter(file, new UTF8Encoding(false)) { AutoFlush = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _writer = null;
        }
    }

    public void Write(string text)
    {
        try
        {
            _writer?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {text}"));
        }
        catch (IOException)
        {
            // The next line may fit again.
        }
    }

    public void Dispose()
    {
        try { _writer?.Dispose(); }
        catch (IOException) { }
    }
}
