using Cluster.Contracts.Spec;

namespace Cluster.Tests.Spec;

public sealed class SpecHashTests
{
    /// <summary>A checkpoint of an earlier build is known by this; a change here refuses every one of them.</summary>
    [Fact]
    public void The_hash_of_a_known_spec_stays_the_same() =>
        Assert.Equal("2dab3dca9f0c531650f44858f75993f3eda5db40c1594783afd32ead89e60b87", SpecHash.Of(SpecSamples.Read(SpecSamples.Stages)));

    [Theory]
    [InlineData("federated.partition.alpha=0.4")]
    [InlineData("federated.partition={kind: iid, clients: 30}")]
    [InlineData("federated.clientsPerRound=7")]
    [InlineData("federated.maxExamples=100")]
    [InlineData("federated.localEvaluation={share: 0.2}")]
    [InlineData("federated.weighting=uniform")]
    [InlineData("federated.localEpochs=3")]
    [InlineData("federated.localBatch=16")]
    [InlineData("federated.clientsTogether=1")]
    [InlineData("federated.localOptimizer={kind: adam}")]
    [InlineData("federated.proximal=0.1")]
    [InlineData("federated.localLr=0.02")]
    [InlineData("federated.globalLr=2")]
    [InlineData("federated.scheduler.variant=g")]
    [InlineData("federated.scheduler={kind: constant}")]
    [InlineData("federated.server={kind: fedAvgM}")]
    [InlineData("rounds=31")]
    public void Every_choice_of_a_federated_job_is_part_of_its_hash(string change) =>
        Assert.NotEqual(SpecHash.Of(SpecSamples.Read(SpecSamples.Federated)), SpecHash.Of(SpecSamples.Read(SpecSamples.Federated, change)));

    [Fact]
    public void How_the_file_is_written_does_not_matter()
    {
        var spelled = SpecReader.Read(
            """
            # the same, in another order and with defaults spelled out
            schedule: {warmupShare: 1e-1, lr: 0.010, decay: "linear"}
            optimizer: {kind: lamb, beta1: 0.90, beta2: 0.999}
            epochs: 2.0
            batch: 128
            data:
              kind: digits
              path: digits
            model: {kind: mlp, hidden: [128]}
            method: lamb
            name: digits
            """, "other.yaml").Require();

        Assert.Equal(SpecHash.Of(SpecSamples.Read(SpecSamples.Digits)), SpecHash.Of(spelled));
    }

    [Theory]
    [InlineData("name=other")]
    [InlineData("workers.min=7")]
    [InlineData("checkpoint={everyRounds: 5, keep: 1}")]
    [InlineData("evaluate={everyRounds: 5, samples: 100}")]
    public void What_does_not_touch_the_weights_does_not_touch_the_hash(string change) =>
        Assert.Equal(SpecHash.Of(SpecSamples.Read(SpecSamples.Digits)), SpecHash.Of(SpecSamples.Read(SpecSamples.Digits, change)));

    [Fact]
    public void The_name_of_a_stage_does_not_touch_the_hash() => Assert.Equal(
        SpecHash.Of(SpecSamples.Read(SpecSamples.Stages)), SpecHash.Of(SpecSamples.Read(SpecSamples.Stages, "stages[0].name=begin")));

    [Theory]
    [InlineData("seed=2")]
    [InlineData("model.hidden=[64]")]
    [InlineData("model.hidden=[]")]
    [InlineData("model.dropout=0.1")]
    [InlineData("data.path=elsewhere")]
    [InlineData("batch=127")]
    [InlineData("leaf=64")]
    [InlineData("epochs=3")]
    [InlineData("optimizer.beta1=0.8")]
    [InlineData("optimizer={kind: adamw}")]
    [InlineData("optimizer.stacked=[a]")]
    [InlineData("schedule.lr=0.0100000001")]
    [InlineData("schedule.warmup=fromZero")]
    [InlineData("clip.norm=1")]
    [InlineData("precision=bfloat16")]
    [InlineData("device=cuda")]
    [InlineData("threads=2")]
    public void What_touches_the_weights_changes_the_hash(string change) =>
        Assert.NotEqual(SpecHash.Of(SpecSamples.Read(SpecSamples.Digits)), SpecHash.Of(SpecSamples.Read(SpecSamples.Digits, change)));
}
