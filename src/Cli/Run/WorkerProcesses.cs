using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Cluster.Cli.Run;

/// <summary>
/// The trainer processes of an embedded cluster. They hold a pipe from this process and end when it closes, however this process
/// ends; their output goes to one log file each. One that ends by itself is replaced, under a new name; one that cannot live is
/// given up.
/// </summary>
internal sealed class WorkerProcesses : IDisposable
{
    /// <summary>A process that lived so long had begun its work: its end says nothing about the next one.</summary>
    private static readonly TimeSpan GoodLife = TimeSpan.FromSeconds(10);

    /// <summary>Before the first, second, third replacement in a row of processes that did not live.</summary>
    private static readonly TimeSpan[] Pauses = [TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5)];

    private readonly IPEndPoint _gateway;
    private readonly string _logFolder;
    private readonly Lock _gate = new(); // Guards the processes, and that none is started after the end.
    private readonly List<Process> _running = [];
    private readonly TaskCompletionSource<string> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();

    private WorkerProcesses(IPEndPoint gateway, string logFolder) => (_gateway, _logFolder) = (gateway, logFolder);

    /// <summary>Completes with a sentence when a worker ended so often that it is not started again.</summary>
    public Task<string> Lost => _lost.Task;

    public static WorkerProcesses Start(int count, IPEndPoint gateway, string logFolder)
    {
        var processes = new WorkerProcesses(gateway, logFolder);
        for (var number = 0; number < count; number++) { _ = processes.KeepAlive(number); }
        return processes;
    }

    private async Task KeepAlive(int number)
    {
        var shortLives = 0;
        for (var life = 1; ; life++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, life == 1 ? $"worker-{number}" : $"worker-{number}-{life}");
            var log = Path.Combine(_logFolder, $"{id}.log");
            if (StartOne(id, log) is not { } process) { return; }

            var began = Stopwatch.GetTimestamp();
            await process.WaitForExitAsync();
            lock (_gate)
            {
                if (_stopping.IsCancellationRequested) { return; }
                _running.Remove(process);
            }

            shortLives = Stopwatch.GetElapsedTime(began) < GoodLife ? shortLives + 1 : 0;
            if (shortLives > Pauses.Length)
            {
                _lost.TrySetResult($"{id} (process {process.Id}) ended with code {process.ExitCode}, as those before it did; its log is {log}");
                return;
            }

            await Task.Delay(shortLives == 0 ? TimeSpan.Zero : Pauses[shortLives - 1], _stopping.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    /// <summary>Null when all is ending.</summary>
    private Process? StartOne(string id, string log)
    {
        string[] arguments =
        [
            .. EntryArguments(), "trainer",
            "--Cluster:Gateway", _gateway.ToString(),
            "--Cluster:Id", id,
            "--Cluster:EndWithInput", "true",
        ];
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested) { return null; }
            var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            CopyToLog(process, log);
            _running.Add(process);
            return process;
        }
    }

    public void Dispose()
    {
        lock (_gate) { _stopping.Cancel(); }
        foreach (var process in _running) { process.StandardInput.Close(); }
        foreach (var process in _running)
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
