using System.Text;
using Cluster.Client;
using Cluster.Contracts;

namespace Cluster.Cli.Run;

/// <summary>
/// Where <c>--json</c> goes. The file is opened before the job starts: a wrong path is said at once and not after an hour.
/// A report of an earlier run stays in it until there is a new one.
/// </summary>
internal sealed class JsonReport : IDisposable
{
    private readonly string _target;
    private readonly FileStream? _file;

    private JsonReport(string target, FileStream? file) => (_target, _file) = (target, file);

    /// <exception cref="BadInputException">The file cannot be written.</exception>
    public static JsonReport? Open(string? target)
    {
        if (target is null or "-") { return target is null ? null : new JsonReport(target, file: null); }
        try
        {
            return new JsonReport(target, new FileStream(target, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0));
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Unwritable(target, reason);
        }
    }

    /// <exception cref="BadInputException">The file cannot be written.</exception>
    public void Write(RunReport report)
    {
        var json = report.ToJson();
        if (_file is null) { Console.Out.WriteLine(json); return; }
        try
        {
            if (_file.CanSeek && _file.Length > 0) { _file.SetLength(0); }
            _file.Write(Encoding.UTF8.GetBytes(json + '\n'));
        }
        catch (IOException reason)
        {
            throw Unwritable(_target, reason);
        }
    }

    public void Dispose() => _file?.Dispose();

    private static BadInputException Unwritable(string target, Exception reason) => new($"--json: {target} cannot be written: {reason.Message}");
}
