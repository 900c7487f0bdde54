using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Cluster.Cli.Run;

/// <summary>
/// The trainer processes of an embedded run. They hold a pipe from this process and end when it closes, however this process
/// ends; their output goes to one log file each.
/// </summary>
internal sealed class WorkerProcesses : IDisposable
{
    private readonly List<Process> _workers = [];
    private readonly TaskCompletionSource<string> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;

    /// <summary>Completes with a sentence when a worker ends that nobody asked to end.</summary>
    public Task<string> Lost => _lost.Task;

    private WorkerProcesses() { }

    public static WorkerProcesses Start(int count, IPEndPoint gateway, string logFolder)
    {
        var processes = new WorkerProcesses();
        for (var i = 0; i < count; i++) { processes.StartOne(i, gateway, logFolder); }
        return processes;
    }

    private void StartOne(int number, IPEndPoint gateway, string logFolder)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"worker-{number}");
        var log = Path.Combine(logFolder, $"{id}.log");
        string[] arguments =
        [
            .. EntryArguments(), "trainer",
            "--Cluster:Gateway", gateway.ToString(),
            "--Cluster:Id", id,
            "--Cluster:EndWithInput", "true",
        ];
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(Environment.ProcessPath!, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
            EnableRaisingEvents = true,
        };
        process.Exited += (_, _) =>
        {
            if (!_stopping) { _lost.TrySetResult($"{id} (process {process.Id}) ended with code {process.ExitCode}; its log is {log}"); }
        };
        process.Start();
        CopyToLog(process, log);
        _workers.Add(process);
    }

    public void Dispose()
    {
        _stopping = true;
        foreach (var process in _workers) { process.StandardInput.Close(); }
        foreach (var process in _workers)
        {
            if (!process.WaitForExit(TimeSpan.FromSeconds(5))) { process.Kill(); }
            process.Dispose();
        }
    }

    /// <summary>This very program: as an executable of its own, or as <c>dotnet cluster.dll</c>.</summary>
    private static string[] EntryArguments() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];

    private static void CopyToLog(Process process, string path)
    {
        var log = TextWriter.Synchronized(new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true });
        void Copy(object sender, DataReceivedEventArgs line)
        {
            try { if (line.Data is not null) { log.WriteLine(line.Data); } }
            catch (IOException) { } // A full disk costs lines of the log and not the job.
        }

        process.OutputDataReceived += Copy;
        process.ErrorDataReceived += Copy;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }
}
