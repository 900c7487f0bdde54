using Cluster.Contracts.Spec;

namespace Cluster.Tests.Spec;

public sealed class SpecTextTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void What_is_written_reads_back_to_an_equal_spec(int seed)
    {
        var specs = new RandomSpecs(seed);
        for (var i = 0; i < 250; i++)
        {
            var spec = specs.Next();
            var text = SpecText.Write(spec);
            var result = SpecReader.Read(text, "written.yaml");

            Assert.True(result.Problems.Count == 0, $"seed {seed}, spec {i}: {string.Join('\n', result.Problems)}\n{text}");
            Assert.True(spec == result.Spec, $"seed {seed}, spec {i}:\n{text}\n{SpecText.Write(result.Require())}");
            Assert.Equal(SpecHash.Of(spec), SpecHash.Of(result.Require()));
        }
    }

    [Fact]
    public void The_samples_of_the_repository_read_back_too()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(SpecSamples.Root, "samples"), "*.yaml"))
        {
            var spec = SpecReader.ReadFile(file).Require();

            Assert.Equal(spec, SpecReader.Read(SpecText.Write(spec), file).Require());
        }
    }

    [Fact]
    public void Defaults_are_written_and_unused_keys_are_not() => Assert.Equal(
        """
        name: stages
        method: lamb
        seed: 1
        model:
          kind: bert
          layers: 4
          width: 128
          heads: 4
          context: 512
          dropout: 0
        data:
          kind: text
          files: [a.txt]
          evaluationShare: 0.1
          maskedShare: 0.15
        leaf: 32
        optimizer:
          kind: sgd
          exclude: biasAndNorm
          momentum: 0.9
          nesterov: false
        schedule:
          lr: 0.01
          warmupShare: 0.1
          warmup: continuous
          decay: linear
          finalShare: 0
        stages:
          - name: short
            batch: 64
            epochs: 9
            sequence: 128
            moments: keep
          - name: long
            batch: 32
            epochs: 1
            sequence: 512
            moments: keep
        precision: float32
        device: cpu
        threads: 1
        workers:
          min: 1
        checkpoint:
          everyRounds: 100
          keep: 3
        evaluate:
          everyRounds: 0
        nonFinite:
          maxSkips: 10

        """,
        SpecText.Write(SpecSamples.Read(SpecSamples.Stages, "optimizer.kind=sgd")));
}
