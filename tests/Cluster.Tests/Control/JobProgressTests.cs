using Cluster.Grains.Jobs;

namespace Cluster.Tests.Control;

public sealed class JobProgressTests
{
    [Fact]
    public void Samples_sent_twice_count_once_and_keep_their_numbers()
    {
        var progress = new JobProgress();
        progress.Absorb(Some.Report("job", 0, 2, samples: [Some.Sample(1, 0.1), Some.Sample(2, 0.2)]));
        progress.Absorb(Some.Report("job", 0, 3, samples: [Some.Sample(1, 0.1), Some.Sample(2, 0.2), Some.Sample(3, 0.3)]));

        var (samples, last) = progress.SamplesAfter(0);
        Assert.Equal([1, 2, 3], samples.Select(s => s.Round));
        Assert.Equal(3, last);
        Assert.Equal([3L], progress.SamplesAfter(2).Samples.Select(s => s.Round));
        Assert.Equal(3, progress.SamplesAfter(3).Last);
    }

    [Fact]
    public void Only_rank_0_draws_the_chart()
    {
        var progress = new JobProgress();
        progress.Absorb(Some.Report("job", 1, 1, samples: [Some.Sample(1, 0.1)]) with { Checkpoint = "not/mine" });
        Assert.Empty(progress.SamplesAfter(0).Samples);
        Assert.Null(progress.Checkpoint);
    }

    [Fact]
    public void Views_page_through_what_the_ring_still_has()
    {
        var progress = new JobProgress();
        for (var i = 1; i <= 3000; i++)
        {
            progress.Absorb(Some.Report("job", 0, 100, samples: [Some.Sample(i, i)]));
        }

        var (rounds, after) = (new List<long>(), 0L);
        while (progress.SamplesAfter(after) is { Samples.Length: > 0 } page)
        {
            Assert.InRange(page.Samples.Length, 1, JobProgress.MaxSamplesPerView);
            rounds.AddRange(page.Samples.Select(s => s.Round));
            after = page.Last;
        }

        Assert.Equal(Enumerable.Range(1001, 2000).Select(i => (long)i), rounds);
        Assert.Equal(3000, after);
    }

    [Fact]
    public void A_number_from_before_a_restart_starts_over_at_the_newest()
    {
        var progress = new JobProgress();
        progress.Absorb(Some.Report("job", 0, 1, samples: [Some.Sample(1, 1)]));
        Assert.Equal(1, progress.SamplesAfter(900).Last);
        Assert.Equal([1L], progress.SamplesAfter(-5).Samples.Select(s => s.Round));
    }

    [Fact]
    public void Counts_do_not_go_back_when_reports_overtake_each_other()
    {
        var progress = new JobProgress();
        progress.Absorb(Some.Report("job", 1, round: 9));
        progress.Absorb(Some.Report("job", 1, round: 4));
        Assert.Equal((9, (9L, 18L)), (progress.Round, progress.Of(1)));
    }

    [Fact]
    public void The_newest_value_of_each_metric_stays()
    {
        var progress = new JobProgress();
        var evaluation = Some.Sample(1, 0.15) with { Values = Some.Sample(0, 0).Values.Remove("loss").Add("evalAccuracy", 0.9) };
        progress.Absorb(Some.Report("job", 0, 2, samples: [Some.Sample(1, 0.1, loss: 5), evaluation, Some.Sample(2, 0.2, loss: 4)]));
        Assert.Equal((4, 0.9), (progress.Metrics["loss"], progress.Metrics["evalAccuracy"]));
    }

    [Fact]
    public void Throughput_is_taken_between_the_first_and_the_newest_sample()
    {
        var progress = new JobProgress();
        progress.Absorb(Some.Report("job", 0, 1, samples: [Some.Sample(1, 2)]));
        Assert.Equal(0, progress.SamplesPerSecond);
        progress.Absorb(Some.Report("job", 0, 5, samples: [Some.Sample(5, 4)]));
        Assert.Equal(20, progress.SamplesPerSecond); // 40 samples in 2 s.
    }

    [Fact]
    public void Notices_are_bounded_and_the_same_words_count_once()
    {
        var progress = new JobProgress();
        for (var i = 0; i < 250; i++)
        {
            progress.Absorb(Some.Report("job", i % 3) with { Notices = [$"notice {i}", "again"] });
        }

        Assert.Equal(ReportBounds.MaxNotices, progress.Notices.Length);
        Assert.Equal("notice 249", progress.Notices[^1]);
        Assert.InRange(progress.Notices.Count(n => n == "again"), 0, 1);
    }
}
