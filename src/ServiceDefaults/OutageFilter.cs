using System.Diagnostics.CodeAnalysis;
using Orleans.Runtime;

namespace Cluster.ServiceDefaults;

/// <summary>
/// Fails the calls that are on their way when the last connection to the cluster breaks. Their answers cannot come any more;
/// Orleans would wait for each until its response timeout.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer or a wait handle holds nothing that must be disposed of.")]
internal sealed class OutageFilter : IOutgoingGrainCallFilter
{
    private CancellationTokenSource _connected = new();

    /// <summary>The last connection is gone. Calls from now on fail by themselves until another is there.</summary>
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
            throw new SiloUnavailableException("the connection to the cluster broke before the answer came: the call may or may not have been carried out");
        }
    }
}
