using System.Collections.Immutable;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Jobs;
using Cluster.Grains.Jobs;

namespace Cluster.Tests.Control;

public sealed class JobProgressTests
{
    private static readonly WorkerInfo W0 = Some.Worker("w0");
    private static readonly WorkerInfo W1 = Some.Worker("w1");
    private readonly JobProgress _progress = new(new());

    [Fact]
    public void Samples_told_twice_count_once_and_keep_their_numbers()
    {
        Tell(W0, Some.Sample(1, 0.1), Some.Sample(2, 0.2));
        Tell(W0, Some.Sample(1, 0.1), Some.Sample(2, 0.2), Some.Sample(3, 0.3));

        var (samples, last) = _progress.SamplesAfter(0);
        Assert.Equal([1, 2, 3], samples.Select(s => s.Round));
        Assert.Equal(3, last);
        Assert.Equal([3L], _progress.SamplesAfter(2).Samples.Select(s => s.Round));
        Assert.Equal(3, _progress.SamplesAfter(3).Last);
    }

    /// <summary>Who took part is stored with the newest samples alone, and comes back as it was.</summary>
    [Fact]
    public void Farther_back_a_stored_sample_has_its_numbers_alone()
    {
        var parts = ImmutableArray.Create(new ClientPart("client-1", PartKind.TookPart));
        Tell(W0, [.. Enumerable.Range(1, 300).Select(round => Some.Sample(round, round) with { Clients = parts })]);

        var stored = _progress.ToState().Samples;
        Assert.Equal(JobProgress.MaxStoredParts, stored.Count(sample => sample.Clients is not null));
        Assert.Equal((null, parts), (stored[99].Clients, stored[100].Clients));
        Assert.Equal(1, stored[0].Values["loss"]);
    }

    [Fact]
    public void Another_teller_on_another_clock_tells_what_the_last_one_could_not()
    {
        Tell(W0, Some.Sample(1, 100), Some.Sample(2, 101));
        Tell(W1, Some.Sample(2, 0.5), Some.Sample(3, 0.75));
        Assert.Equal([(1, 100), (2, 101), (3, 0.75)], _progress.SamplesAfter(0).Samples.Select(s => (s.Round, s.Seconds)));
    }

    /// <summary>It was killed, and knows less than what the worker was told is known: a gap would never be closed.</summary>
    [Fact]
    public void Samples_that_would_leave_a_gap_are_not_taken_before_the_gap_is_told()
    {
        Tell(W0, Some.Sample(1, 1), Some.Sample(2, 2));
        _progress.Absorb(W0, Some.Report("job", samples: [Some.Sample(8, 8)]) with { SamplesAfter = 7 });
        Assert.Equal(1, _progress.AbsorbedRound); // An evaluation may follow round 2.

        _progress.Absorb(W0, Some.Report("job", samples: [Some.Sample(2, 2), Some.Sample(3, 3), Some.Sample(8, 8)]) with { SamplesAfter = 1 });
        Assert.Equal([1, 2, 3, 8], _progress.SamplesAfter(0).Samples.Select(s => s.Round));
    }

    [Fact]
    public void An_evaluation_comes_after_its_rounds_own_sample_and_once()
    {
        Tell(W0, Some.Sample(4, 1), Some.Sample(4, 2, isEvaluation: true), Some.Sample(4, 2, isEvaluation: true), Some.Sample(4, 3), Some.Sample(5, 4));
        Assert.Equal([(4, false), (4, true), (5, false)], _progress.SamplesAfter(0).Samples.Select(s => (s.Round, s.IsEvaluation)));
    }

    [Fact]
    public void A_round_is_absorbed_when_no_evaluation_of_it_can_follow()
    {
        Assert.Equal(0, _progress.AbsorbedRound);
        Tell(W0, Some.Sample(4, 1));
        Assert.Equal(3, _progress.AbsorbedRound);
        Tell(W0, Some.Sample(4, 2, isEvaluation: true));
        Assert.Equal(4, _progress.AbsorbedRound);
    }

    [Fact]
    public void A_job_that_goes_on_from_a_checkpoint_tells_rounds_again_that_are_dropped_as_known()
    {
        Tell(W0, Some.Sample(50, 9));
        _progress.Absorb(W1, Some.Report("job", round: 41, samples: [Some.Sample(41, 0.1)]));
        Assert.Single(_progress.SamplesAfter(0).Samples);
        Assert.Equal(50, _progress.Round);
    }

    [Fact]
    public void Everything_comes_back_from_storage()
    {
        _progress.Absorb(W0, Some.Report("job", 9, samples: [Some.Sample(8, 1), Some.Sample(9, 2)]) with { Checkpoint = "ck", Notices = ["note"] });
        _progress.Happened(new(DateTime.UnixEpoch, 1, JobState.Running, "has 1 worker"));
        var back = new JobProgress(_progress.ToState());

        Assert.Equal((9, 100, "ck", 10d, 90), (back.Round, back.Rounds, back.Checkpoint, back.SamplesPerSecond, back.SamplesSeen));
        Assert.Equal(("note", "has 1 worker", 18), (Assert.Single(back.Notices), Assert.Single(back.Events).Text, back.Of(W0).LeavesComputed));
        back.Absorb(W0, Some.Report("job", 10, samples: [Some.Sample(9, 2), Some.Sample(10, 3)]));
        Assert.Equal((3, 1), (back.SamplesAfter(0).Last, back.SamplesAfter(2).Samples.Length));
    }

    [Fact]
    public void Views_page_through_what_the_ring_still_has()
    {
        for (var i = 1; i <= 3000; i++)
        {
            Tell(W0, Some.Sample(i, i));
        }

        var (rounds, after) = (new List<long>(), 0L);
        while (_progress.SamplesAfter(after) is { Samples.Length: > 0 } page)
        {
            Assert.InRange(page.Samples.Length, 1, JobProgress.MaxSamplesPerView);
            rounds.AddRange(page.Samples.Select(s => s.Round));
            after = page.Last;
        }

        Assert.Equal(Enumerable.Range(1001, 2000).Select(i => (long)i), rounds);
        Assert.Equal(3000, after);
    }

    [Fact]
    public void A_number_that_is_not_there_yet_starts_over_at_the_newest()
    {
        Tell(W0, Some.Sample(1, 1));
        Assert.Equal(1, _progress.SamplesAfter(900).Last);
        Assert.Equal([1L], _progress.SamplesAfter(-5).Samples.Select(s => s.Round));
    }

    [Fact]
    public void Counts_do_not_go_back_when_reports_overtake_each_other()
    {
        _progress.Absorb(W1, Some.Report("job", round: 9));
        _progress.Absorb(W1, Some.Report("job", round: 4));
        Assert.Equal((9, 9, 18), (_progress.Round, _progress.Of(W1).Round, _progress.Of(W1).LeavesComputed));
    }

    [Fact]
    public void Each_life_of_a_worker_is_kept()
    {
        _progress.Absorb(W0, Some.Report("job", round: 9));
        _progress.Absorb(Some.Worker("w0", process: 7), Some.Report("job", round: 11));
        Assert.Equal([("w0", 100, 18), ("w0", 7, 22)], _progress.Workers.Select(w => (w.Id, w.ProcessId, (int)w.LeavesComputed)));
    }

    [Fact]
    public void The_newest_value_of_each_metric_stays()
    {
        var evaluation = Some.Sample(1, 0.15, isEvaluation: true) with { Values = Some.Sample(0, 0).Values.Remove("loss").Add("evalAccuracy", 0.9) };
        Tell(W0, Some.Sample(1, 0.1, loss: 5), evaluation, Some.Sample(2, 0.2, loss: 4));
        Assert.Equal((4, 0.9), (_progress.Metrics["loss"], _progress.Metrics["evalAccuracy"]));
    }

    [Fact]
    public void Throughput_is_of_one_tellers_clock()
    {
        Tell(W0, Some.Sample(1, 2));
        Assert.Equal(0, _progress.SamplesPerSecond);
        Tell(W0, Some.Sample(5, 4));
        Assert.Equal(20, _progress.SamplesPerSecond); // 40 samples in 2 s.
        Tell(W1, Some.Sample(6, 0.5));
        Assert.Equal(0, _progress.SamplesPerSecond);
        Tell(W1, Some.Sample(7, 0.75));
        Assert.Equal(40, _progress.SamplesPerSecond);
    }

    [Fact]
    public void Notices_and_events_are_bounded_and_the_same_words_count_once()
    {
        for (var i = 0; i < 250; i++)
        {
            _progress.Absorb(W0, Some.Report("job") with { Notices = [$"notice {i}", "again"] });
            _progress.Happened(new(DateTime.UnixEpoch, i, JobState.Running, "something"));
        }

        Assert.Equal((ReportBounds.MaxNotices, "notice 249"), (_progress.Notices.Length, _progress.Notices[^1]));
        Assert.InRange(_progress.Notices.Count(n => n == "again"), 0, 1);
        Assert.Equal((JobProgress.MaxEvents, 249), (_progress.Events.Length, _progress.Events[^1].Generation));
    }

    [Fact]
    public void A_report_that_says_nothing_new_changes_nothing()
    {
        _progress.Absorb(W0, Some.Report("job", 5, samples: [Some.Sample(5, 1)]));
        var version = _progress.Version;
        _progress.Absorb(W0, Some.Report("job", 5, samples: [Some.Sample(5, 1)]));
        Assert.Equal(version, _progress.Version);
    }

    /// <summary>A container that is started again has the name, the address and the process id (1) of the one before, and counts its sessions from 1.</summary>
    [Fact]
    public void What_a_worker_started_again_computes_is_counted_beside_what_it_had_computed()
    {
        var before = W0 with { ProcessId = 1, Life = new("00000000-0000-0000-0000-000000000001") };
        var after = before with { Life = new("00000000-0000-0000-0000-000000000002") };
        Assert.False(before.IsSameProcess(after));
        _progress.Absorb(before, Some.Report("job", 5) with { Session = 3, LeavesComputed = 10 });
        _progress.Absorb(after, Some.Report("job", 9) with { Session = 1, LeavesComputed = 4 });
        Assert.Equal([10L, 4], new JobProgress(_progress.ToState()).Workers.Select(w => w.LeavesComputed));
    }

    private void Tell(WorkerInfo worker, params ReadOnlySpan<RoundSample> samples) =>
        _progress.Absorb(worker, Some.Report("job", round: samples[^1].Round, samples: [.. samples]));
}
