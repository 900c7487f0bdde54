using System.Runtime.CompilerServices;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Orleans.Runtime;
using Orleans.Runtime.Messaging;

namespace Cluster.Client;

/// <summary>Submits, watches and stops jobs, over a connection or inside the silo's own process.</summary>
public sealed class JobClient(IGrainFactory grains)
{
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromMilliseconds(200);

    /// <summary>Submitting the same job again is harmless.</summary>
    /// <exception cref="BadInputException">The job was refused; the message says why.</exception>
    /// <exception cref="ClusterUnreachableException">No cluster answers.</exception>
    public async Task SubmitAsync(string jobId, JobSubmission submission, CancellationToken cancellationToken)
    {
        var result = await Call(Job(jobId).Submit(submission), cancellationToken);
        if (result.Refusal is { } refusal)
        {
            throw new BadInputException(refusal);
        }
    }

    /// <summary>The job now, and its samples with a number above <paramref name="afterSample"/>.</summary>
    /// <exception cref="ClusterUnreachableException">No cluster answers.</exception>
    public Task<JobView> ViewAsync(string jobId, long afterSample, CancellationToken cancellationToken) =>
        Call(Job(jobId).View(afterSample), cancellationToken);

    /// <summary>
    /// The job several times a second, each time with the samples that are new, until it has ended. The last view is in a
    /// final state, and all samples have come by then.
    /// </summary>
    /// <exception cref="BadInputException">No such job was submitted.</exception>
    /// <exception cref="ClusterUnreachableException">No cluster answers.</exception>
    public async IAsyncEnumerable<JobView> WatchAsync(string jobId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var period = new PeriodicTimer(WatchPeriod);
        var lastSample = 0L;
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

    /// <summary>Asks the job to end at a checkpoint; watch it to see when it has.</summary>
    /// <exception cref="ClusterUnreachableException">No cluster answers.</exception>
    public Task StopAsync(string jobId, string reason, CancellationToken cancellationToken) =>
        Call(Job(jobId).Stop(reason), cancellationToken);

    /// <summary>Ends the job as Failed, for a reason that the cluster cannot see.</summary>
    /// <exception cref="ClusterUnreachableException">No cluster answers.</exception>
    public Task FailAsync(string jobId, string reason, CancellationToken cancellationToken) =>
        Call(Job(jobId).Fail(reason), cancellationToken);

    private IJobGrain Job(string jobId) => grains.GetGrain<IJobGrain>(jobId);

    private static async Task<T> Call<T>(Task<T> call, CancellationToken cancellationToken)
    {
        await Call((Task)call, cancellationToken);
        return await call;
    }

    private static async Task Call(Task call, CancellationToken cancellationToken)
    {
        try
        {
            await call.WaitAsync(cancellationToken);
        }
        catch (Exception e) when (e is OrleansMessageRejectionException or SiloUnavailableException or ConnectionFailedException or TimeoutException)
        {
            throw new ClusterUnreachableException($"the cluster stopped answering: {e.Message}", e);
        }
    }
}
