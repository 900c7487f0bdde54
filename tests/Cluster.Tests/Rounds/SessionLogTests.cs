using System.Collections.Immutable;
using Cluster.Contracts.Jobs;
using Cluster.Tests.Control;
using Cluster.Trainer.Core;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;
using Cluster.Trainer.Worker;

namespace Cluster.Tests.Rounds;

public sealed class SessionLogTests
{
    private readonly RoundCounters _counters = new(new Dictionary<string, long>());
    private readonly SessionLog _log = Log(rank: 0);

    [Fact]
    public void What_is_not_acknowledged_is_told_again()
    {
        Commit(2);
        _log.Notice("first");
        var lost = _log.Report();
        Commit(1);
        var next = _log.Report();

        Assert.Equal([1, 2], RoundsOf(lost));
        Assert.Equal([1, 2, 3], RoundsOf(next));
        Assert.Equal(["first"], next.Notices.AsEnumerable());
    }

    [Fact]
    public void What_a_method_has_to_say_of_a_round_is_told_with_its_number()
    {
        Commit(6);
        _log.Committed(_counters, new Tally(8, 8, 8, 4, 1), new RoundResult(0.1, 1) { Notices = ["client 'a' was left out"], Values = ImmutableDictionary<string, double>.Empty.Add("globalLr", 1.5) });
        _log.Committed(_counters, new Tally(8, 0, 0, 0, 1), new RoundResult(0.1, 1, "no client's change can be used") { Notices = ["client 'b' was left out"] });
        var report = _log.Report();
        Assert.Equal(["round 6: client 'a' was left out", "round 6: client 'b' was left out", "round 6 was skipped: no client's change can be used"], report.Notices.AsEnumerable());
        Assert.Contains(report.Samples, sample => sample.Values.TryGetValue("globalLr", out var value) && value == 1.5);
    }

    [Fact]
    public void What_comes_while_a_report_is_under_way_stays_for_the_next()
    {
        Commit(2);
        _log.Notice("first");
        _log.Report();
        Commit(2);
        _log.Notice("second");
        _log.Acknowledge();
        _log.Absorbed(2, stored: 0);
        var next = _log.Report();

        Assert.Equal([3, 4], RoundsOf(next));
        Assert.Equal(["second"], next.Notices.AsEnumerable());
        _log.Absorbed(4, stored: 4);
        Assert.Empty(_log.Report().Samples);
        Assert.Equal(4, _log.Report().Round);
    }

    /// <summary>A control plane that was killed knows no more than it had stored.</summary>
    [Fact]
    public void What_was_known_and_not_stored_is_told_again_after_a_crash()
    {
        Commit(6);
        _log.Absorbed(5, stored: 2);
        Assert.Equal([6], RoundsOf(_log.Report()));
        _log.Absorbed(2, stored: 2);
        Assert.Equal([3, 4, 5, 6], RoundsOf(_log.Report()));
    }

    /// <summary>1 to 20,000 without an answer: kept within the bound, from one end to the other, with no gap much wider than the rest.</summary>
    [Theory, InlineData(2_001), InlineData(2_002), InlineData(5_000), InlineData(20_000)]
    public void A_long_silence_is_thinned_and_not_cut_off(int rounds)
    {
        Commit(rounds);
        var kept = RoundsOf(_log.Report());

        Assert.InRange(kept.Length, 1_000, 2_000);
        Assert.Equal(rounds, kept[^1]);
        var widest = kept.Zip(kept.Skip(1), (a, b) => b - a).Prepend(kept[0]).Max();
        Assert.InRange(widest, 1, 2 * (rounds / 2_000 + 1));
        Assert.Equal(kept.Order(), kept);
    }

    [Fact]
    public void Thinning_keeps_a_round_and_the_evaluation_after_it_together()
    {
        for (var i = 0; i < 1_500; i++)
        {
            Commit(1);
            _log.Evaluated(_counters, [new Evaluation("", new Tally(10, 10, 5, 1, 1))]);
        }

        var kept = _log.Report().Samples;
        Assert.InRange(kept.Length, 1_000, 2_000);
        Assert.All(kept.GroupBy(sample => sample.Round), round => Assert.Equal(["loss", "evalLoss"], round.Select(sample => sample.Values.Keys.Single(key => key.EndsWith("oss", StringComparison.Ordinal)))));
    }

    /// <summary>The mean over sets is that of the others.</summary>
    [Fact]
    public void A_set_with_values_of_its_own_is_told_by_them()
    {
        Commit(1);
        _log.Evaluated(_counters, [new Evaluation("", new Tally(10, 10, 5, 1, 1)), new Evaluation("clients", default) { Values = ImmutableDictionary<string, double>.Empty.Add("localEvalLoss", 2) }]);
        var values = _log.Report().Samples[^1].Values;
        Assert.Equal(["evalAccuracy", "evalLoss", "localEvalLoss"], values.Keys.Order());
        Assert.Equal((0.5, 2), (values["evalLoss"], values["localEvalLoss"]));
    }

    [Fact]
    public void A_skipped_round_has_no_values_and_a_notice()
    {
        var tally = new Tally(10, 10, double.NaN, 0, 1);
        _counters.Commit(tally, skipped: true);
        _log.Committed(_counters, tally, new RoundResult(double.NaN, double.NaN, "the loss is not finite"));

        var report = _log.Report();
        Assert.Empty(report.Samples.Single().Values);
        Assert.Equal(1, report.Samples.Single().Skipped);
        Assert.Equal(["round 1 was skipped: the loss is not finite"], report.Notices.AsEnumerable());
    }

    [Fact]
    public void Other_ranks_than_0_tell_their_round_and_leaves_but_no_samples()
    {
        var log = Log(rank: 1);
        log.LeavesComputed(5);
        Commit(3, log);

        var report = log.Report();
        Assert.Equal((3, 5), (report.Round, report.LeavesComputed));
        Assert.Empty(report.Samples);
    }

    [Fact]
    public void An_outcome_is_urgent_once_and_told_until_another_generation_begins()
    {
        _log.Report();
        Assert.False(_log.Urgent.IsCompleted);
        _log.End(Some.Succeeded());
        _log.Acknowledge(); // Of before the end.
        Assert.True(_log.Urgent.IsCompleted);

        Assert.Equal(JobState.Succeeded, _log.Report().Outcome?.State);
        _log.Acknowledge();
        Assert.False(_log.Urgent.IsCompleted);
        Assert.Equal(JobState.Succeeded, _log.Report().Outcome?.State);
    }

    /// <summary>The first rank 0 was lost with what it had not told.</summary>
    [Fact]
    public void The_next_rank_0_tells_what_the_last_one_could_not()
    {
        var log = Log(rank: 1);
        Commit(5, log);
        log.Absorbed(2, stored: 2);
        log.ChangedOver();
        Assert.True(log.Urgent.IsCompleted);
        log.Begin(Assignment(rank: 0, generation: 2));
        Assert.Equal([3, 4, 5], RoundsOf(log.Report()));
    }

    [Fact]
    public void A_new_generation_forgets_how_the_last_one_was_lost()
    {
        _log.Lost(new GenerationFault("worker-1", "gone"));
        Assert.True(_log.Urgent.IsCompleted);
        Assert.Equal((1, "worker-1"), (_log.Report().Generation, _log.Report().Fault?.LostWorker));

        _log.Begin(Assignment(rank: 0, generation: 2));
        Assert.Equal(2, _log.Report().Generation);
        Assert.Null(_log.Report().Fault);
    }

    private static SessionLog Log(int rank)
    {
        var log = new SessionLog("job", 1, TimeProvider.System, write: _ => { });
        log.Begin(Assignment(rank, generation: 1));
        return log;
    }

    private static Assignment Assignment(int rank, long generation) =>
        new("job", generation, rank, Some.Workers(2), [.. new byte[32]], Some.Submission(), IsRecovery: generation > 1);

    private void Commit(int rounds, SessionLog? log = null)
    {
        for (var i = 0; i < rounds; i++)
        {
            var tally = new Tally(10, 10, 5, 1, 1);
            _counters.Commit(tally, skipped: false);
            (log ?? _log).Committed(_counters, tally, new RoundResult(0.1, 1));
        }
    }

    private static long[] RoundsOf(JobReport report) => [.. report.Samples.Select(sample => sample.Round)];
}
