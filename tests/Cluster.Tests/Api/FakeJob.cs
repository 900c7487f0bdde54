using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Tests.Api;

/// <summary>One job of a <see cref="FakeCluster"/>. The test sets what it shows.</summary>
public sealed class FakeJob(FakeCluster cluster, string id) : IJobGrain
{
    private readonly Lock _lock = new();
    private readonly List<RoundSample> _samples = [];

    public JobSubmission? Submission { get; set; }

    public JobState State { get; set; }

    /// <summary>What orders are answered with; null for yes.</summary>
    public string? Refusal { get; set; }

    /// <summary>Orders that came, such as "stop: enough".</summary>
    public List<string> Orders { get; } = [];

    /// <summary>Stages and releases that were ordered: each is taken at once.</summary>
    public ImmutableArray<JobOrder> Taken { get; set; } = [];

    public ImmutableArray<BranchView> Branches { get; set; } = [];

    public int Submissions { get; private set; }

    /// <summary>Shown in place of the curves of the samples.</summary>
    public MetricsView? Curves { get; set; }

    /// <summary>A sample of the test's own, with the next number.</summary>
    public void Tell(RoundSample sample)
    {
        lock (_lock) { _samples.Add(sample); }
    }

    /// <summary>Adds samples of rounds up to this one.</summary>
    public void Reach(long round)
    {
        lock (_lock)
        {
            for (var r = _samples.Count + 1; r <= round; r++)
            {
                _samples.Add(new(r, false, r, r * 64, 0, ImmutableDictionary<string, double>.Empty.Add("loss", r == 2 ? double.NaN : 1.0 / r)));
            }
        }
    }

    public Task<SubmitResult> Submit(JobSubmission submission)
    {
        cluster.Check();
        Submissions++;
        if (Submission is { } before && (before.SpecText != submission.SpecText || before.Directory != submission.Directory))
        {
            return Task.FromResult(new SubmitResult($"job {id} was submitted before with another spec"));
        }

        if (Refusal is null) { (Submission, State) = (submission, JobState.Waiting); cluster.Accepted(id); }
        return Task.FromResult(new SubmitResult(Refusal));
    }

    public Task<JobView> View(long afterSample)
    {
        cluster.Check();
        lock (_lock)
        {
            ImmutableArray<RoundSample> samples = [.. _samples.Skip((int)Math.Min(afterSample, int.MaxValue)).Take(500)];
            var last = Math.Min(afterSample, _samples.Count) + samples.Length;
            return Task.FromResult(new JobView(
                id, State, "as the test says", 1, 0, _samples.Count, 1000, _samples.Count * 64, 0, Checkpoint: null, WeightsSha256: null,
                [new("worker-0", 4711, 0, 12, _samples.Count)], _samples.LastOrDefault()?.Values ?? ImmutableDictionary<string, double>.Empty,
                ImmutableDictionary<string, string>.Empty.Add("os", "test"), samples, last, ["a notice"],
                [new(new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc), 1, State, "it began")], 640, Submission) { Orders = Taken, Branches = Branches });
        }
    }

    public Task<MetricsView> Metrics()
    {
        cluster.Check();
        lock (_lock)
        {
            if (Curves is { } curves) { return Task.FromResult(curves); }
            var loss = _samples.Select(s => double.IsFinite(s.Values["loss"]) ? s.Values["loss"] : (double?)null);
            return Task.FromResult(new MetricsView(
                1, [.. _samples.Select(s => s.Round)], [.. _samples.Select(s => s.SamplesSeen)],
                ImmutableDictionary<string, MetricSeries>.Empty.Add("loss", new([.. loss], [], [])), _samples.Count));
        }
    }

    public Task<JobSummary> Summary()
    {
        cluster.Check();
        return Task.FromResult(new JobSummary(id, State, "as the test says", _samples.Count, 1000, 1, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc)));
    }

    public Task<string?> Stop(string reason) => Order($"stop: {reason}");

    public Task<string?> Pause(string reason) => Order($"pause: {reason}");

    public Task<string?> Resume() => Order("resume");

    public async Task<OrderResult> Order(OrderKind kind, string text, ImmutableArray<string> dataRoots)
    {
        if (await Order($"{kind}: {text}") is { } refusal) { return new(Order: null, refusal); }
        var order = new JobOrder(Taken.Length + 1, kind, "new", text, dataRoots, DateTime.UnixEpoch, OrderState.Taken, Round: 7, Update: 6);
        Taken = Taken.Add(order);
        return new(order with { State = OrderState.Stored }, Refusal: null);
    }

    public Task Fail(string reason) => Order($"fail: {reason}");

    public Task Grant(ImmutableArray<WorkerInfo> workers, long version) => throw new NotSupportedException();

    public Task<Directive> Report(WorkerInfo worker, JobReport? report) => throw new NotSupportedException();

    private Task<string?> Order(string order)
    {
        cluster.Check();
        Orders.Add(order);
        return Task.FromResult(Refusal);
    }
}
