using Cluster.Contracts.Spec;

namespace Cluster.Tests.Spec;

/// <summary>The numbers of You et al. 2020 (tables 1, 4 and 5 with their logs), and the arithmetic at the edges.</summary>
public sealed class StagePlanTests
{
    private const long ImageNet = 1_281_167;

    private static StagePlan Plan(JobSpec spec, long samplesPerEpoch) => Assert.Single(StagePlan.Of(spec, _ => samplesPerEpoch));

    private static JobSpec Job(int batch) => new()
    {
        Name = "job",
        Method = TrainingMethod.Lamb,
        Model = new ModelSpec.Mlp(),
        Data = new DataSpec.Mnist(),
        Batch = batch,
        Epochs = 1,
        Schedule = new ScheduleSpec { Lr = 0.01 },
    };

    private static JobSpec Untuned(int batch, double epochs, double lr, double warmupEpochs) => Job(batch) with
    {
        Epochs = epochs,
        Schedule = null,
        Scaling = new ScalingSpec { Base = new ScalingBase { Batch = 512, Lr = lr, WarmupEpochs = warmupEpochs } },
    };

    /// <summary>Table 5: lr = 4/(2^k·100), warm-up 0.3125 to 20 of 90 epochs; at 32K the author's log has 782 of 3,519 rounds.</summary>
    [Theory]
    [InlineData(512, 3.0, 0.3125)]
    [InlineData(1024, 2.5, 0.625)]
    [InlineData(2048, 2.0, 1.25)]
    [InlineData(4096, 1.5, 2.5)]
    [InlineData(8192, 1.0, 5)]
    [InlineData(16384, 0.5, 10)]
    [InlineData(32768, 0.0, 20)]
    public void ImageNet_follows_table_5_from_its_first_row(int batch, double k, double warmupEpochs)
    {
        var plan = Plan(Untuned(batch, epochs: 90, lr: 0.005, warmupEpochs: 0.3125), ImageNet);

        Assert.Equal(4 / (Math.Pow(2, k) * 100), plan.PeakLr, 12);
        Assert.Equal(782, plan.WarmupRounds);
        Assert.Equal(warmupEpochs, plan.WarmupRounds * (double)batch / ImageNet, warmupEpochs * 1e-3);
        Assert.Equal((long)Math.Ceiling(90.0 * ImageNet / batch), plan.Rounds);
    }

    [Fact]
    public void ImageNet_at_32K_is_3519_rounds() => Assert.Equal(3519, Plan(Untuned(32768, 90, 0.005, 0.3125), ImageNet).Rounds);

    /// <summary>Table 4: lr = 5/(2^k·10^3), warm-up 1/320 to 1/5 of a million rounds of 512 samples.</summary>
    [Theory]
    [InlineData(512, 3.0, 320, 1_000_000)]
    [InlineData(1024, 2.5, 160, 500_000)]
    [InlineData(2048, 2.0, 80, 250_000)]
    [InlineData(4096, 1.5, 40, 125_000)]
    [InlineData(8192, 1.0, 20, 62_500)]
    [InlineData(16384, 0.5, 10, 31_250)]
    [InlineData(32768, 0.0, 5, 15_625)]
    public void Bert_follows_table_4_from_its_first_row(int batch, double k, int warmupPart, long rounds)
    {
        var plan = Plan(Untuned(batch, epochs: 1, lr: 5 / (8 * 1e3), warmupEpochs: 1.0 / 320), 512_000_000);

        Assert.Equal(5 / (Math.Pow(2, k) * 1e3), plan.PeakLr, 12);
        Assert.Equal((rounds, rounds / warmupPart), (plan.Rounds, plan.WarmupRounds));
    }

    /// <summary>900,000 rounds of 512 at 64K and 100,000 at 32K: 7,031.25 and 1,562.5 rounds, the last one of each smaller.</summary>
    [Fact]
    public void Mixed_batch_bert_sees_exactly_its_samples()
    {
        var job = Job(batch: 1) with
        {
            Stages =
            [
                new StageSpec { Batch = 65536, Epochs = 0.9, Schedule = new ScheduleSpec { Lr = 0.006, WarmupShare = 0.2843 } },
                new StageSpec { Batch = 32768, Epochs = 0.1, Schedule = new ScheduleSpec { Lr = 0.004, WarmupShare = 0.128 } },
            ],
        };

        var plans = StagePlan.Of(job, _ => 512_000_000);

        Assert.Equal(["stage-1", "stage-2"], plans.Select(p => p.Name));
        Assert.Equal([7032, 1563], plans.Select(p => p.Rounds));
        Assert.Equal([0, 7032], plans.Select(p => p.FirstRound));
        Assert.Equal([0, 460_800_000], plans.Select(p => p.FirstSample));
        Assert.Equal([1999, 200], plans.Select(p => p.WarmupRounds));
        Assert.Equal(65536 / 4, plans[0].SamplesOf(7031));
        Assert.Equal(32768 / 2, plans[1].SamplesOf(1562));
        Assert.Equal(512_000_000, plans.Sum(p => Enumerable.Range(0, (int)p.Rounds).Sum(r => (long)p.SamplesOf(r))));
    }

    [Theory]
    [InlineData(100, 10, 1.0, 10, 10)]
    [InlineData(101, 10, 1.0, 11, 1)]
    [InlineData(109, 10, 1.0, 11, 9)]
    [InlineData(100, 10, 0.5, 5, 10)]
    [InlineData(101, 10, 0.5, 6, 1)]
    [InlineData(7, 10, 1.0, 1, 7)]
    [InlineData(7, 10, 0.001, 1, 1)]
    [InlineData(100, 10, 2.5, 25, 10)]
    public void Epochs_become_whole_rounds_and_a_smaller_last_one(long n, int batch, double epochs, long rounds, int last)
    {
        var plan = Plan(Job(batch) with { Epochs = epochs }, n);

        Assert.Equal((rounds, last), (plan.Rounds, plan.SamplesOf(plan.Rounds - 1)));
        Assert.Equal(plan.Samples, Enumerable.Range(0, (int)plan.Rounds).Sum(r => (long)plan.SamplesOf(r)));
    }

    [Fact]
    public void Rounds_are_taken_as_they_are_and_all_are_full()
    {
        var plan = Plan(Job(64) with { Epochs = null, Rounds = 7 }, 100);

        Assert.Equal((7, 7 * 64, 64), (plan.Rounds, plan.Samples, plan.SamplesOf(6)));
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.SamplesOf(7));
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.SamplesOf(-1));
    }

    [Fact]
    public void Warm_up_is_at_most_the_stage()
    {
        Assert.Equal(10, Plan(Job(10) with { Schedule = new ScheduleSpec { Lr = 1, WarmupRounds = 99 } }, 100).WarmupRounds);
        Assert.Equal(10, Plan(Job(10) with { Schedule = new ScheduleSpec { Lr = 1, WarmupEpochs = 5 } }, 100).WarmupRounds);
        Assert.Equal(10, Plan(Job(10) with { Schedule = new ScheduleSpec { Lr = 1, WarmupShare = 1 } }, 100).WarmupRounds);
        Assert.Equal(0, Plan(Job(10), 100).WarmupRounds);
    }

    [Fact]
    public void Linear_scaling_multiplies_the_rate_by_the_batch()
    {
        var job = Job(8192) with { Schedule = null, Scaling = new ScalingSpec { Rule = ScalingRule.Linear, Base = new ScalingBase { Batch = 256, Lr = 0.1 } } };

        Assert.Equal(3.2, Plan(job, 100_000).PeakLr, 12);
    }

    [Theory]
    [InlineData(null, 100, 100)]
    [InlineData(null, 1000, 256)]
    [InlineData(32, 1000, 32)]
    public void A_leaf_is_the_batch_or_256_unless_given(int? leaf, int batch, int expected) =>
        Assert.Equal(expected, Plan(Job(batch) with { Leaf = leaf }, 100).Leaf);

    [Fact]
    public void A_stage_takes_from_the_job_what_it_leaves_out_and_its_own_rate_replaces_the_jobs_scaling()
    {
        var job = Untuned(1024, epochs: 2, lr: 0.01, warmupEpochs: 0.5) with
        {
            Stages =
            [
                new StageSpec(),
                new StageSpec { Batch = 2048, Rounds = 3, Schedule = new ScheduleSpec { Lr = 0.5, WarmupRounds = 1 }, Moments = MomentPolicy.Reset },
            ],
        };

        var plans = StagePlan.Of(job, _ => 10_000);

        Assert.Equal((1024, 20_000, 0.01 * Math.Sqrt(2)), (plans[0].Batch, plans[0].Samples, plans[0].PeakLr));
        Assert.Equal((2048, 3 * 2048, 0.5, 1), (plans[1].Batch, plans[1].Samples, plans[1].PeakLr, plans[1].WarmupRounds));
        Assert.Equal([MomentPolicy.Keep, MomentPolicy.Reset], plans.Select(p => p.Moments));
    }

    [Fact]
    public void A_stage_with_its_own_scaling_drops_the_jobs_rate_and_warm_up()
    {
        var job = Job(512) with
        {
            Schedule = new ScheduleSpec { Lr = 1, WarmupRounds = 5, Decay = DecayKind.Cosine },
            Stages = [new StageSpec { Scaling = new ScalingSpec { Base = new ScalingBase { Batch = 128, Lr = 0.1, WarmupEpochs = 0.128 } } }],
        };

        var plan = Plan(job, 10_000);

        Assert.Equal((0.2, 10, DecayKind.Cosine), (plan.PeakLr, plan.WarmupRounds, plan.Schedule.Decay));
        Assert.Empty(SpecReader.Read(SpecText.Write(job), "job.yaml").Problems);
    }

    [Fact]
    public void The_size_of_text_is_asked_for_each_stage_with_its_sequence_length()
    {
        var job = SpecSamples.Read(SpecSamples.Stages);
        const long Tokens = 1 << 20;

        var plans = StagePlan.Of(job, stage => Tokens / stage.Sequence!.Value);

        Assert.Equal([128, 512], plans.Select(p => p.Sequence!.Value));
        Assert.Equal([Tokens / 128, Tokens / 512], plans.Select(p => p.SamplesPerEpoch));
        Assert.Equal([9 * Tokens / 128 / 64, Tokens / 512 / 32], plans.Select(p => p.Rounds));
    }

    [Fact]
    public void Text_without_a_sequence_length_takes_the_models_context_and_images_have_none()
    {
        Assert.Equal(64, Plan(SpecSamples.Read(SpecSamples.Text), 100).Sequence);
        Assert.Null(Plan(Job(10), 100).Sequence);
    }

    [Fact]
    public void The_largest_job_that_a_spec_can_ask_for_does_not_overflow()
    {
        var stage = new StageSpec { Batch = 16_777_216, Rounds = 1_000_000_000 };
        var job = Job(1) with { Epochs = null, Stages = [.. Enumerable.Repeat(stage, 100)] };

        Assert.Equal(100L * 16_777_216 * 1_000_000_000, StagePlan.Of(job, _ => long.MaxValue).Sum(p => p.Samples));
    }
}
