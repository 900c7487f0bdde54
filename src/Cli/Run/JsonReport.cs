using Cluster.Client;
using Cluster.Contracts;

namespace Cluster.Cli.Run;

/// <summary>Where <c>--json</c> goes. The file is opened before the job starts: a wrong path is said at once and not after an hour.</summary>
internal sealed class JsonReport : IDisposable
{
    private readonly TextWriter _writer;

    private JsonReport(TextWriter writer) => _writer = writer;

    public static JsonReport? Open(string? target)
    {
        if (target is null) { return null; }
        if (target == "-") { return new JsonReport(Console.Out); }
        try
        {
            return new JsonReport(new StreamWriter(new FileStream(target, FileMode.Create, FileAccess.Write, FileShare.Read)));
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BadInputException($"--json: {target} cannot be written: {reason.Message}");
        }
    }

    public void Write(RunReport report)
    {
        _writer.WriteLine(report.ToJson());
        _writer.Flush();
    }

    public void Dispose()
    {
        if (_writer != Console.Out) { _writer.Dispose(); }
    }
}
