using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Jobs;

namespace Cluster.Tests.Api;

/// <summary>The grains that the API speaks to, in memory and scripted by the test: what they decide is tested elsewhere.</summary>
public sealed class FakeCluster : IJobIndexGrain, IPoolGrain, IFederationGrain
{
    private readonly ConcurrentDictionary<string, FakeJob> _jobs = new();
    private readonly List<string> _index = [];

    /// <summary>Thrown by every call while it is set.</summary>
    public Exception? Outage { get; set; }

    public List<PoolWorkerView> Workers { get; } = [];

    /// <summary>Of every job.</summary>
    public ParticipationPage Participation { get; set; } = new([], ForgottenThrough: 0, Newest: 0, Recorded: 0, Revised: 0, []);

    public IGrainFactory Grains
    {
        get
        {
            var factory = DispatchProxy.Create<IGrainFactory, FakeFactory>();
            ((FakeFactory)(object)factory).Cluster = this;
            return factory;
        }
    }

    public FakeJob Job(string id) => _jobs.GetOrAdd(id, key => new FakeJob(this, key));

    /// <summary>A job that was submitted before the test begins.</summary>
    public FakeJob Add(string id, JobState state = JobState.Running)
    {
        var job = Job(id);
        job.Submission = new JobSubmission("name: digits", "hash", "/nowhere", [], 1, 1, Resume: false);
        job.State = state;
        lock (_index) { _index.Insert(0, id); }
        return job;
    }

    public void AddWorker(string id, string? jobId = null) =>
        Workers.Add(new(new WorkerInfo(id, 4711, "127.0.0.1", 5000, 2, 0, 1L << 30), jobId, IsDraining: false));

    internal void Accepted(string id)
    {
        lock (_index) { if (!_index.Contains(id)) { _index.Insert(0, id); } }
    }

    Task IJobIndexGrain.Add(string jobId) => throw new NotSupportedException();

    public Task<JobIdPage> List(int skip, int count)
    {
        Check();
        lock (_index) { return Task.FromResult(new JobIdPage([.. _index.Skip(skip).Take(count)], _index.Count)); }
    }

    public Task<bool> Drain(string workerId) => SetDraining(workerId, true);

    public Task<bool> Undrain(string workerId) => SetDraining(workerId, false);

    Task<PoolView> IPoolGrain.View()
    {
        Check();
        return Task.FromResult(new PoolView([.. Workers], ["waiting"], ["running"]));
    }

    public Task<WorkerPlace> Offer(WorkerInfo worker) => throw new NotSupportedException();

    public Task Gone(WorkerInfo worker) => throw new NotSupportedException();

    public Task<string> Enqueue(string jobId, int minWorkers, int maxWorkers, long grantVersion, ImmutableArray<string> sites) => throw new NotSupportedException();

    public Task Return(string jobId, WorkerInfo worker) => throw new NotSupportedException();

    public Task Exclude(string jobId, WorkerInfo worker) => throw new NotSupportedException();

    public Task Release(string jobId) => throw new NotSupportedException();

    public Task Begin(long generation) => throw new NotSupportedException();

    public Task<bool> Record(long generation, long round, ImmutableArray<Absence> absences, bool isRevision) => throw new NotSupportedException();

    public Task<ParticipationPage> Read(long afterRound, int count)
    {
        Check();
        return Task.FromResult(Participation with { Rounds = [.. Participation.Rounds.Where(round => round.Round > afterRound).Take(count)] });
    }

    internal void Check()
    {
        if (Outage is { } outage) { throw outage; }
    }

    private Task<bool> SetDraining(string id, bool isDraining)
    {
        Check();
        var index = Workers.FindIndex(w => w.Worker.Id == id);
        if (index >= 0) { Workers[index] = Workers[index] with { IsDraining = isDraining }; }
        return Task.FromResult(index >= 0);
    }
}

/// <summary>Hands out the fakes; the API asks for grains by interface and key alone.</summary>
public class FakeFactory : DispatchProxy
{
    internal FakeCluster Cluster { get; set; } = null!;

    protected override object Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.ReturnType == typeof(IJobGrain) ? Cluster.Job((string)args![0]!)
        : targetMethod.ReturnType == typeof(IFederationGrain) || targetMethod.ReturnType == typeof(IPoolGrain) || targetMethod.ReturnType == typeof(IJobIndexGrain) ? Cluster
        : throw new NotSupportedException(targetMethod.ToString());
}
