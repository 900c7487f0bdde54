using System.Diagnostics.CodeAnalysis;
using Orleans.Runtime;

namespace Cluster.ServiceDefaults;

/// <summary>
/// Fails the calls that are on their way when a connection to the cluster breaks. An answer that was to come over it cannot come
/// any more, and Orleans would wait for it until the response timeout. Which calls those are is not to be seen from here, so
/// where there are several connections, calls over the others fail too: to their callers all are calls that may be repeated.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer or a wait handle holds nothing that must be disposed of.")]
internal sealed class OutageFilter : IOutgoingGrainCallFilter
{
    private CancellationTokenSource _connected = new();

    /// <summary>Later calls take another connection, or fail by themselves.</summary>
    public void ConnectionLost() => Interlocked.Exchange(ref _connected, new()).Cancel();

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        var lost = Volatile.Read(ref _connected).Token;
        try
        {
            await context.Invoke().WaitAsync(lost);
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested)
        {
            throw new SiloUnavailableException("a connection to the cluster broke before the answer came: the call may or may not have been carried out");
        }
    }
}
