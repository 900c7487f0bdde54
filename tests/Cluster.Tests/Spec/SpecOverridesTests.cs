using Cluster.Contracts.Spec;

namespace Cluster.Tests.Spec;

public sealed class SpecOverridesTests
{
    [Fact]
    public void An_override_replaces_a_value() => Assert.Equal(64, SpecSamples.Read(SpecSamples.Digits, "batch=64").Batch);

    [Fact]
    public void The_last_override_of_a_key_wins() => Assert.Equal(32, SpecSamples.Read(SpecSamples.Digits, "batch=64", "batch=32").Batch);

    [Fact]
    public void Keys_and_mappings_that_the_file_lacks_are_made() =>
        Assert.Equal(2, SpecSamples.Read(SpecSamples.Digits, "clip.norm=2").Clip!.Norm);

    [Fact]
    public void Lists_and_mappings_can_be_given_on_one_line()
    {
        var spec = SpecSamples.Read(SpecSamples.Digits, "model={kind: mlp, hidden: [64, 32]}", "model.dropout=0.5");

        Assert.Equal(new ModelSpec.Mlp { Hidden = [64, 32], Dropout = 0.5 }, spec.Model);
    }

    [Fact]
    public void Items_of_a_list_are_reached_by_position() =>
        Assert.Equal(48, SpecSamples.Read(SpecSamples.Stages, "stages[1].batch=48").Stages[1].Batch);

    [Fact]
    public void Null_takes_a_key_out()
    {
        var spec = SpecSamples.Read(SpecSamples.Digits, "epochs=null", "rounds=5", "optimizer=null");

        Assert.Equal((null, 5L), (spec.Epochs, spec.Rounds));
        Assert.Equal(new OptimizerSpec(), spec.Optimizer);
    }

    [Fact]
    public void An_item_that_is_not_there_is_a_problem() => Assert.Equal(
        "--set stages[2].batch=1: stages[2].batch: found 2 items, none at [2], allowed: the path of a key",
        SpecReader.Read(SpecSamples.Stages, "spec.yaml", ["stages[2].batch=1"]).Problems.Single().ToString());

    [Theory]
    [InlineData("batch=0", "--set batch=0: batch: found \"0\", allowed: a whole number at least 1")]
    [InlineData("optimizer.beta1=1.5", "--set optimizer.beta1=1.5: optimizer.beta1: found \"1.5\"")]
    [InlineData("optimizer.betta1=0.5", "--set optimizer.betta1=0.5: optimizer.betta1: found an unknown key (did you mean \"beta1\"?)")]
    [InlineData("optimizer.momentum=0.5", "--set optimizer.momentum=0.5: optimizer.momentum: found a key that optimizer.kind lamb does not use")]
    [InlineData("rounds=5", "--set rounds=5: rounds: found rounds beside epochs")]
    [InlineData("leaf=1000", "--set leaf=1000: leaf: found 1000, more than the batch of 128")]
    [InlineData("batch.size=1", "--set batch.size=1: batch.size: found \"128\" where a mapping with the key \"size\" should be")]
    [InlineData("batch[0]=1", "--set batch[0]=1: batch[0]: found \"128\" where a list should be")]
    [InlineData("model[0].kind=mlp", "--set model[0].kind=mlp: model[0].kind: found a mapping of keys where a list should be")]
    [InlineData("batch", "--set batch: found \"batch\", allowed: key.path=value")]
    [InlineData("=1", "--set =1: found \"=1\", allowed: key.path=value")]
    [InlineData("a..b=1", "--set a..b=1: found \"a..b=1\", allowed: key.path=value")]
    [InlineData("", "--set : found \"\", allowed: key.path=value")]
    [InlineData("batch=", "--set batch=: batch: found nothing after the equals sign")]
    [InlineData("batch=[1", "--set batch=[1: found")]
    [InlineData("batch=*a", "--set batch=*a: found an anchor or alias")]
    [InlineData("batch=1\u001b[2J", "--set \"batch=1\\u001b[2J\": ")]
    public void A_wrong_override_is_named_in_place_of_the_line(string change, string message)
    {
        var problem = Assert.Single(SpecReader.Read(SpecSamples.Digits, "spec.yaml", [change]).Problems);

        Assert.StartsWith(message, problem.ToString(), StringComparison.Ordinal);
    }
}
