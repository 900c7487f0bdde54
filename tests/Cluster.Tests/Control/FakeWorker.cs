using Cluster.Contracts.Jobs;

namespace Cluster.Tests.Control;

/// <summary>A worker that only talks: beats its heart and says what a test tells it to.</summary>
internal sealed class FakeWorker(IGrainFactory grains, string id)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    public WorkerInfo Info { get; } = Some.Worker(id);

    public Task<Directive> Beat(JobReport? report = null) =>
        grains.GetGrain<IWorkerGrain>(id).Heartbeat(Info, report).WaitAsync(Deadline);

    /// <summary>Beats until it is told to train that job (or, with null, nothing).</summary>
    public async Task<Assignment?> BeatUntil(string? jobId)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            var assignment = (await Beat() as Directive.Train)?.Assignment;
            if (assignment?.JobId == jobId)
            {
                return assignment;
            }

            Assert.False(deadline.IsCancellationRequested, $"{id} is told to train '{assignment?.JobId}' and not '{jobId}'");
            await Task.Yield();
        }
    }
}
