using System.Diagnostics;
using System.Net;

namespace Cluster.Cli.Up;

/// <summary>
/// One trainer process. It holds a pipe from this process and ends when that closes, however this process ends; its output goes
/// to its log.
/// </summary>
internal sealed class WorkerProcess : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly TextWriter _log;

    private WorkerProcess(Process process, TextWriter log) => (_process, _log) = (process, log);

    public int Id => _process.Id;

    /// <summary>Once it has ended.</summary>
    public int ExitCode => _process.ExitCode;

    public static WorkerProcess Start(string id, IPEndPoint gateway, string logPath)
    {
        string[] settings = ["trainer", "--Cluster:Gateway", gateway.ToString(), "--Cluster:Id", id, "--Cluster:EndWithInput", "true"];
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(ThisProgram.Path, [.. ThisProgram.Arguments, .. settings])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        var log = TextWriter.Synchronized(new StreamWriter(new FileStream(logPath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true });
        void Copy(object sender, DataReceivedEventArgs line)
        {
            try { if (line.Data is not null) { log.WriteLine(line.Data); } }
            catch (Exception e) when (e is IOException or ObjectDisposedException) { } // A full disk costs lines of the log and not the job.
        }

        process.OutputDataReceived += Copy;
        process.ErrorDataReceived += Copy;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new WorkerProcess(process, log);
    }

    /// <returns>True when it ended by itself, false when the token was cancelled first.</returns>
    public async Task<bool> EndedAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _process.WaitForExitAsync(cancellationToken);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Asks it to end, and makes it so after a while.</summary>
    public async Task EndAsync()
    {
        _process.StandardInput.Close();
        using var grace = new CancellationTokenSource(Grace);
        if (!await EndedAsync(grace.Token)) { _process.Kill(); }
    }

    public void Dispose()
    {
        _process.Dispose();
        _log.Dispose();
    }
}
