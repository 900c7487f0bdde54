using Cluster.Contracts.Jobs;
using Cluster.Grains.Hosting;

namespace Cluster.Tests.Control;

/// <summary>A real silo in this process, for stories with <see cref="FakeWorker"/>s.</summary>
public abstract class SiloFixture : IAsyncLifetime, IDisposable
{
    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromSeconds(40));

    internal ClusterSilo Silo { get; private set; } = null!;

    internal CancellationToken Deadline => _deadline.Token;

    internal IPoolGrain Pool => Silo.Grains.GetGrain<IPoolGrain>(IPoolGrain.Default);

    public async Task InitializeAsync() => Silo = await ClusterSilo.StartAsync(new(), Deadline);

    public Task DisposeAsync() => Silo.DisposeAsync().AsTask();

    public void Dispose()
    {
        _deadline.Dispose();
        GC.SuppressFinalize(this);
    }

    internal IJobGrain Job(string id) => Silo.Grains.GetGrain<IJobGrain>(id);

    internal FakeWorker Worker(string id, int process = 100) => new(Silo.Grains, id, process);

    internal async Task Submit(string jobId, int min = 2, int? max = null) =>
        Assert.Null((await Job(jobId).Submit(Some.Submission(min, max))).Refusal);

    /// <summary>Waits for a job to look like that.</summary>
    internal async Task<JobView> Until(string jobId, Func<JobView, bool> isSo)
    {
        JobView view;
        while (!isSo(view = await Job(jobId).View(0)))
        {
            Assert.False(Deadline.IsCancellationRequested, $"{jobId} is {view.State} (generation {view.Generation}): {view.Reason}");
            await Task.Delay(20);
        }

        return view;
    }

    internal Task<JobView> End(string jobId) => Until(jobId, v => v.State.IsFinal);

    /// <summary>Submits a job and brings these workers into its first generation, ranks in their order.</summary>
    internal async Task Start(string jobId, int? max, params FakeWorker[] workers)
    {
        foreach (var worker in workers)
        {
            await worker.Beat();
        }

        await Submit(jobId, workers.Length, max);
        var assignments = await Task.WhenAll(workers.Select(w => w.BeatUntilTraining(jobId)));
        Assert.Equal(Enumerable.Range(0, workers.Length), assignments.Select(a => a.Rank));
        await Task.WhenAll(workers.Select(w => w.Beat())); // All have arrived.
    }
}
