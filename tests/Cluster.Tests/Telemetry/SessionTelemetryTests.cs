using System.Diagnostics;
using System.Net;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Telemetry;
using Cluster.Tests.Control;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;
using Cluster.Trainer.Worker;

namespace Cluster.Tests.Telemetry;

/// <summary>What two ranks of a small job tell while they compute it: every metric of a worker, and spans in the trace of the submission.</summary>
public sealed class SessionTelemetryTests
{
    private const int Rounds = 100;

    [Fact]
    public void Every_round_is_measured_and_some_are_traced_under_the_submission()
    {
        using var readings = new Readings();
        using var submission = new Activity("the submission").SetIdFormat(ActivityIdFormat.W3C).Start();
        submission.ActivityTraceFlags = ActivityTraceFlags.Recorded;
        var parent = TraceLink.Here!;
        Activity.Current = null;
        var job = $"measured-{Guid.NewGuid():N}";

        var ends = RunTwoRanks(job, parent, skipped: 7);

        Assert.All(ends, end => Assert.IsType<LoopEnd.Finished>(end));
        var measured = readings.MeasuredWith(job);
        var times = measured.Where(m => m.Instrument == "cluster.round.time").ToLookup(m => m.Tags[TelemetryKeys.Phase]);
        Assert.Equal(["compute", "reduce", "update", "wait"], times.Select(phase => phase.Key).Order());
        Assert.All(times, phase => Assert.Equal(2 * Rounds, phase.Count()));
        Assert.All(times.SelectMany(phase => phase), m => Assert.True(m.Value >= 0));
        Assert.Equal((2.0 * (Rounds - 1), 2.0), (Sum("cluster.rounds", "applied"), Sum("cluster.rounds", "skipped")));
        Assert.Equal(2 * Rounds * QuadraticMethod.Samples, Sum("cluster.samples"));
        Assert.Equal(Rounds * QuadraticMethod.LeafCount, Sum("cluster.leaves"));
        Assert.Equal(Sum("cluster.network.io", "transmit"), Sum("cluster.network.io", "receive"));
        Assert.True(Sum("cluster.network.io", "transmit") > 0);
        Assert.Contains(measured, m => m.Instrument == "cluster.evaluation.time");
        Assert.DoesNotContain(measured, m => m.Instrument == "cluster.faults");

        var spans = readings.SpansOf(submission.TraceId);
        var sessions = spans.Where(span => span.OperationName == "job.session").ToArray();
        Assert.Equal(2, sessions.Length);
        Assert.All(sessions, session => Assert.Equal(submission.SpanId, session.ParentSpanId));
        var generations = spans.Where(span => span.OperationName == "job.generation").ToArray();
        Assert.Equal(sessions.Select(s => s.SpanId.ToHexString()).Order(), generations.Select(g => g.ParentSpanId.ToHexString()).Order());
        Assert.All(generations, generation => Assert.Contains(generation.Events, e => e.Name == "caught up"));
        foreach (var generation in generations)
        {
            var rounds = spans.Where(span => span.OperationName == "job.round" && span.ParentSpanId == generation.SpanId).ToArray();
            Assert.Equal(Enumerable.Range(1, Rounds).Where(round => round <= 64 || round % 2 == 0).Select(round => (long)round), rounds.Select(span => (long)span.GetTagItem(TelemetryKeys.Round)!));
            var parts = spans.Where(span => span.ParentSpanId == rounds[0].SpanId).ToArray();
            Assert.Equal(["round.compute", "round.wait", "round.reduce", "round.update"], parts.Select(part => part.OperationName));
            for (var i = 1; i < parts.Length; i++) { Assert.Equal(parts[i - 1].StartTimeUtc + parts[i - 1].Duration, parts[i].StartTimeUtc); }
            Assert.Equal((rounds[0].StartTimeUtc, rounds[0].Duration), (parts[0].StartTimeUtc, parts[^1].StartTimeUtc + parts[^1].Duration - parts[0].StartTimeUtc));
            Assert.Equal("the loss is not finite", rounds[7].GetTagItem(TelemetryKeys.Reason));
        }

        double Sum(string instrument, string? tag = null) => measured.Where(m => m.Instrument == instrument && (tag is null || m.Tags.ContainsValue(tag))).Sum(m => m.Value);
    }

    [Fact]
    public void A_generation_that_is_lost_is_a_fault_and_an_error_in_the_trace()
    {
        using var readings = new Readings();
        var job = $"lost-{Guid.NewGuid():N}";
        ActivityTraceId trace = default;
        Ranks.Run(1, mesh =>
        {
            using var telemetry = new SessionTelemetry(job, "w0", Some.Submission(1, 1), TimeProvider.System);
            trace = Activity.Current!.TraceId; // Without a submission's trace, the session begins one.
            telemetry.Begin(AssignmentOf(job, rank: 0), mesh, 4);
            telemetry.EndGeneration("w1 (rank 1): the connection broke");
            telemetry.Ended(new Outcome(JobState.Failed, "nobody is left", null, System.Collections.Immutable.ImmutableDictionary<string, string>.Empty));
            return 0;
        });

        Assert.Equal(1, Assert.Single(readings.MeasuredWith(job), m => m.Instrument == "cluster.faults").Value);
        var spans = readings.SpansOf(trace);
        Assert.Equal(["job.generation", "job.session"], spans.Select(span => span.OperationName));
        Assert.All(spans, span => Assert.Equal(ActivityStatusCode.Error, span.Status));
        Assert.Equal("w1 (rank 1): the connection broke", spans[0].StatusDescription);
    }

    [Theory]
    [InlineData(64, 64)]
    [InlineData(128, 96)]
    [InlineData(100_000, 400)]
    [InlineData(1_000_000_000, 827)]
    public void Few_rounds_of_a_long_job_are_traced(long rounds, int traced)
    {
        var count = 0;
        for (long round = 1, step = 1; round <= rounds; round += step)
        {
            while (round >= step * 64) { step *= 2; } // No round between is traced: a billion of them are not asked.
            if (RoundSampling.IsTraced(round)) { count++; }
            if (step > 1) { Assert.False(RoundSampling.IsTraced(round + 1)); }
        }

        Assert.Equal(traced, count);
    }

    private static LoopEnd[] RunTwoRanks(string job, string parent, int skipped) => Ranks.Run(2, mesh =>
    {
        using var telemetry = new SessionTelemetry(job, $"w{mesh.Rank}", Some.Submission(2, 2) with { TraceParent = parent }, TimeProvider.System);
        using var method = new QuadraticMethod(Rounds) { LossIsNaN = (round, leaf) => round == skipped && leaf == 0 };
        using var loop = new RoundLoop(method, RoundLoopTests.Spec, new Observer(telemetry));
        telemetry.Begin(AssignmentOf(job, mesh.Rank), mesh, method.ContributionLength * sizeof(float));
        var end = loop.Run(mesh, () => default);
        telemetry.EndGeneration(fault: null);
        return end;
    });

    private static Assignment AssignmentOf(string job, int rank) => new(job, 1, rank, [Worker("w0"), Worker("w1")], [], Some.Submission(2, 2), IsRecovery: false);

    private static WorkerInfo Worker(string id) => new(id, 1, IPAddress.Loopback.ToString(), 1, 1, 0, 1);

    private sealed class Observer(SessionTelemetry telemetry) : IRoundObserver
    {
        public void Began(RoundCounters counters) => telemetry.CaughtUp(counters.Round);

        public void LeavesComputed(int count) => telemetry.LeavesComputed(count);

        public void Committed(RoundCounters counters, in Tally tally, RoundResult result, in RoundTimes times) => telemetry.Committed(counters, tally, result, times);

        public void Evaluated(RoundCounters counters, IReadOnlyList<Evaluation> evaluations, TimeSpan took) => telemetry.Evaluated(counters.Round, took);
    }
}
