using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Cluster.Cli.Up;

/// <summary>
/// N trainer processes that are kept alive: one that ends is replaced, under a new name so that it need not wait for the lease
/// of the old one; at once the first time, and later and later when it keeps ending soon.
/// </summary>
internal sealed class WorkerFleet : IAsyncDisposable
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    /// <summary>A worker that lived so long was well: its next end is the first one again.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(1);

    /// <summary>A worker that ends so often in a row cannot live here.</summary>
    private const int Hopeless = 4;

    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<string> _failing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task[] _keepers;

    private WorkerFleet(int count, IPEndPoint gateway, string logFolder, Action<string> say)
    {
        _keepers = [.. Enumerable.Range(0, count).Select(number => KeepAsync(number, gateway, logFolder, say))];
    }

    /// <summary>Completes with a sentence when a worker has ended again and again, soon after each start.</summary>
    public Task<string> Failing => _failing.Task;

    /// <param name="say">Told in a sentence when a worker has ended by itself.</param>
    public static WorkerFleet Start(int count, IPEndPoint gateway, string logFolder, Action<string> say)
    {
        Directory.CreateDirectory(logFolder);
        return new WorkerFleet(count, gateway, logFolder, say);
    }

    /// <summary>Ends all of them. Harmless to repeat.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_keepers);
    }

    /// <summary>The time before the next start of a worker that ended.</summary>
    /// <param name="before">The delay before this start.</param>
    /// <param name="lived">How long it ran.</param>
    internal static TimeSpan NextDelay(TimeSpan before, TimeSpan lived) =>
        before == TimeSpan.Zero || lived >= Settled ? FirstDelay
        : before * 2 < LongestDelay ? before * 2
        : LongestDelay;

    private async Task KeepAsync(int number, IPEndPoint gateway, string logFolder, Action<string> say)
    {
        var delay = TimeSpan.Zero;
        var shortLives = 0;
        for (var life = 1; !_stopping.IsCancellationRequested; life++)
        {
            var id = FormattableString.Invariant(life == 1 ? (FormattableString)$"worker-{number}" : $"worker-{number}-{life}");
            var log = Path.Combine(logFolder, $"{id}.process.log"); // Its jobs have logs of their own.
            var began = Stopwatch.GetTimestamp();
            if (await RunAsync(id, gateway, log) is not { } end) { return; }

            var lived = Stopwatch.GetElapsedTime(began);
            delay = NextDelay(delay, lived);
            shortLives = lived < Settled ? shortLives + 1 : 1;
            if (shortLives == Hopeless) { _failing.TrySetResult($"{id} {end}, as those before it did; its log is {log}"); }
            say(string.Create(CultureInfo.InvariantCulture, $"{id} {end} and is replaced in {delay.TotalSeconds:0.#} s; its log is {log}"));
            await Task.Delay(delay, _stopping.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    /// <returns>How it came to its end by itself, in words; null when it was asked to end.</returns>
    private async Task<string?> RunAsync(string id, IPEndPoint gateway, string log)
    {
        try
        {
            using var worker = WorkerProcess.Start(id, gateway, log);
            if (await worker.EndedAsync(_stopping.Token)) { return $"(process {worker.Id}) ended with code {worker.ExitCode}"; }
            await worker.EndAsync();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            return $"could not be started ({e.Message})";
        }
    }
}
