using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Cluster.Client;

namespace Cluster.Cli.Up;

/// <summary>
/// <c>cluster up --detach</c>: the same program in the background, in a session of its own, writing to <c>STORE/logs/cluster.log</c>.
/// The foreground returns when the cluster is ready, or says what the background said before it gave up.
/// </summary>
internal static class Background
{
    /// <summary>Set for the background process: the log it writes to.</summary>
    private const string Variable = "CLUSTER_BACKGROUND_LOG";

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    private static PosixSignalRegistration? s_hangUp;

    public static async Task<int> StartAsync(UpOptions options, CancellationToken cancellationToken)
    {
        using (StoreLock.Take(options.Store)) { } // Says at once who holds it.
        var log = Path.Combine(Directory.CreateDirectory(Path.Combine(options.Store, "logs")).FullName, "cluster.log");
        var from = File.Exists(log) ? new FileInfo(log).Length : 0;
        using var process = Start(options, log);

        var began = Stopwatch.GetTimestamp();
        while (!process.HasExited && Stopwatch.GetElapsedTime(began) < Deadline)
        {
            if (AddressFile.Read(options.Store) is { } address && address.Pid == process.Id)
            {
                Console.WriteLine(options.IsJson ? address.ToJson() : $"The cluster is ready: {address}. 'cluster down --store {options.Store}' ends it; its log is {log}");
                return ExitCodes.Succeeded;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        }

        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await Console.Error.WriteLineAsync($"The cluster was not ready within {Deadline.TotalSeconds:0} s; its log is {log}");
            return ExitCodes.Failed;
        }

        await Console.Error.WriteAsync(TextFrom(log, from));
        return process.ExitCode;
    }

    /// <summary>In the background process, first of all: it belongs to no terminal, and its words go to its log.</summary>
    public static void EnterIfAsked()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } log) { return; }
        var writer = TextWriter.Synchronized(new StreamWriter(new FileStream(log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true });
        Console.SetOut(writer);
        Console.SetError(writer);
        if (OperatingSystem.IsWindows()) { return; }
        s_hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true);
        _ = setsid();
    }

    private static Process Start(UpOptions options, string log)
    {
        string[] words =
        [
            "up", "--store", options.Store,
            "--workers", options.Workers.ToString(CultureInfo.InvariantCulture),
            "--port", options.Port.ToString(CultureInfo.InvariantCulture),
            "--gateway-port", options.GatewayPort.ToString(CultureInfo.InvariantCulture),
        ];
        var start = new ProcessStartInfo(ThisProgram.Path, [.. ThisProgram.Arguments, .. words])
        {
            // Pipes that nobody reads: it must not keep those of this process open, for whom waits for their end.
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[Variable] = log;
        return Process.Start(start)!;
    }

    private static string TextFrom(string log, long from)
    {
        if (!File.Exists(log)) { return ""; }
        using var stream = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Position = from;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    [DllImport("libc")]
    private static extern int setsid();
}
