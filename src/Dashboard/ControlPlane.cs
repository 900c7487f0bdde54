using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Cluster.Contracts;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Telemetry;
using Cluster.Dashboard.Telemetry;
using Orleans.Runtime;
using Orleans.Runtime.Messaging;

namespace Cluster.Dashboard;

/// <summary>
/// What people ask of the grains, over a connection or inside the silo's own process. A control plane that is away shows as
/// <see cref="ClusterUnreachableException"/>, from every method.
/// </summary>
public sealed class ControlPlane(IGrainFactory grains)
{
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromMilliseconds(200);

    private IPoolGrain Pool => grains.GetGrain<IPoolGrain>(IPoolGrain.Default);

    /// <summary>Submitting the same job again is harmless. The answer says why it was not taken; null when it was.</summary>
    public async Task<string?> SubmitAsync(string jobId, JobSubmission submission, CancellationToken cancellationToken)
    {
        using var span = ApiTelemetry.Submit(jobId);
        var traced = submission with { TraceParent = TraceLink.Here };
        var refusal = (await Call(() => Job(jobId).Submit(traced), cancellationToken)).Refusal;
        ApiTelemetry.Submitted(span, refusal);
        return refusal;
    }

    /// <summary>The job now, and its samples with a number above <paramref name="afterSample"/>. Unknown when there is none.</summary>
    public Task<JobView> ViewAsync(string jobId, long afterSample, CancellationToken cancellationToken) =>
        Call(() => Job(jobId).View(afterSample), cancellationToken);

    /// <summary>The job's curves from its beginning.</summary>
    public Task<MetricsView> MetricsAsync(string jobId, CancellationToken cancellationToken) =>
        Call(() => Job(jobId).Metrics(), cancellationToken);

    /// <summary>The job in one line. Unknown when there is none.</summary>
    public Task<JobSummary> SummaryAsync(string jobId, CancellationToken cancellationToken) =>
        Call(() => Job(jobId).Summary(), cancellationToken);

    /// <summary>Which rounds after this one did without which clients.</summary>
    public Task<ParticipationPage> ParticipationAsync(string jobId, long afterRound, int count, CancellationToken cancellationToken) =>
        Call(() => grains.GetGrain<IFederationGrain>(jobId).Read(afterRound, count), cancellationToken);

    /// <summary>Ids of jobs, newest first.</summary>
    public Task<JobIdPage> ListAsync(int skip, int count, CancellationToken cancellationToken) =>
        Call(() => grains.GetGrain<IJobIndexGrain>(IJobIndexGrain.Default).List(skip, count), cancellationToken);

    /// <summary>
    /// The job several times a second, each time with the samples that are new, until it has ended. The last view is in a
    /// final state, and all samples have come by then.
    /// </summary>
    /// <exception cref="BadInputException">No such job was submitted.</exception>
    public async IAsyncEnumerable<JobView> WatchAsync(
        string jobId, long afterSample, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var period = new PeriodicTimer(WatchPeriod);
        var lastSample = afterSample;
        while (true)
        {
            var view = await ViewAsync(jobId, lastSample, cancellationToken);
            if (view.State is JobState.Unknown)
            {
                throw new BadInputException($"there is no job {jobId}");
            }

            yield return view;
            var more = view.LastSample > lastSample; // Views are bounded: another may be waiting.
            lastSample = view.LastSample;
            if (view.State.IsFinal && !more)
            {
                yield break;
            }

            if (!view.State.IsFinal)
            {
                await period.WaitForNextTickAsync(cancellationToken);
            }
        }
    }

    /// <summary>Asks the job to end at a checkpoint; watch it to see when it has. The answer says why it cannot; null when it will.</summary>
    public Task<string?> StopAsync(string jobId, string reason, CancellationToken cancellationToken) =>
        Call(() => Job(jobId).Stop(reason), cancellationToken);

    /// <summary>Asks the job to pause at a checkpoint. The answer says why it cannot; null when it will.</summary>
    public Task<string?> PauseAsync(string jobId, string reason, CancellationToken cancellationToken) =>
        Call(() => Job(jobId).Pause(reason), cancellationToken);

    /// <summary>Lets the job go on from its newest checkpoint. The answer says why it cannot; null when it will.</summary>
    public Task<string?> ResumeAsync(string jobId, CancellationToken cancellationToken) => Call(() => Job(jobId).Resume(), cancellationToken);

    /// <summary>One more stage or release for a continual job; durable where the answer has an order.</summary>
    public Task<OrderResult> OrderAsync(string jobId, OrderKind kind, string text, ImmutableArray<string> dataRoots, CancellationToken cancellationToken) =>
        Call(() => Job(jobId).Order(kind, text, dataRoots), cancellationToken);

    /// <summary>Ends the job as Failed, for a reason that the cluster cannot see.</summary>
    public Task FailAsync(string jobId, string reason, CancellationToken cancellationToken) => Call(
        async () =>
        {
            await Job(jobId).Fail(reason);
            return true;
        },
        cancellationToken);

    public Task<PoolView> PoolAsync(CancellationToken cancellationToken) => Call(() => Pool.View(), cancellationToken);

    /// <returns>False when no such worker is known. So does the next.</returns>
    public Task<bool> DrainAsync(string workerId, CancellationToken cancellationToken) => Call(() => Pool.Drain(workerId), cancellationToken);

    public Task<bool> UndrainAsync(string workerId, CancellationToken cancellationToken) => Call(() => Pool.Undrain(workerId), cancellationToken);

    private IJobGrain Job(string jobId) => grains.GetGrain<IJobGrain>(jobId);

    private static async Task<T> Call<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call().WaitAsync(cancellationToken);
        }
        catch (Exception e) when (e is OrleansMessageRejectionException or SiloUnavailableException or ConnectionFailedException or TimeoutException)
        {
            throw new ClusterUnreachableException($"the control plane does not answer: {e.Message}", e);
        }
    }
}
