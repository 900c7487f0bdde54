using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Cluster.Cli.Up;

/// <summary>
/// N trainer processes that are kept alive: one that ends is started again under the same name, at once the first time, and
/// later and later when it keeps ending soon.
/// </summary>
internal sealed class WorkerFleet : IAsyncDisposable
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    /// <summary>A worker that lived so long was well: its next end is the first one again.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Task[] _keepers;

    private WorkerFleet(int count, IPEndPoint gateway, string logFolder, Action<string> say)
    {
        _keepers = [.. Enumerable.Range(0, count).Select(number => KeepAsync(string.Create(CultureInfo.InvariantCulture, $"worker-{number}"), gateway, logFolder, say))];
    }

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

    private async Task KeepAsync(string id, IPEndPoint gateway, string logFolder, Action<string> say)
    {
        var log = Path.Combine(logFolder, $"{id}.log");
        var delay = TimeSpan.Zero;
        while (!_stopping.IsCancellationRequested)
        {
            var began = Stopwatch.GetTimestamp();
            using var worker = WorkerProcess.Start(id, gateway, log);
            if (!await worker.EndedAsync(_stopping.Token))
            {
                await worker.EndAsync();
                return;
            }

            delay = NextDelay(delay, Stopwatch.GetElapsedTime(began));
            say($"{id} (process {worker.Id}) ended with code {worker.ExitCode} and is started again in {delay.TotalSeconds:0.#} s; its log is {log}");
            await Task.Delay(delay, _stopping.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }
}
