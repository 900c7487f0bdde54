using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Lineage;
using Cluster.Contracts.Spec;
using Cluster.Tests.Data;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods.Continual;
using Cluster.Trainer.Rounds;
using static TorchSharp.torch;

namespace Cluster.Tests.Continual;

/// <summary>A masked autoencoder on three image sets in one job, from small files in their formats.</summary>
[Collection(TorchTests.Name)]
public sealed class MaeStagesTests : IDisposable
{
    private const string Yaml =
        """
        name: three-image-sets
        method: continual
        model: {kind: mae, patch: 7, layers: 1, width: 16, heads: 2, decoder: {width: 16, heads: 2}}
        batch: 10
        leaf: 3
        optimizer: {kind: adamw, beta2: 0.95}
        continual:
          schedule: {kind: infinite, max: 1e-2, constant: 4e-3, min: 4e-4, warmupEnd: 2, cooldownEnd: 4}
          stages:
            - {name: mnist, data: {kind: mnist}, updates: 4, release: {updates: 2}}
            - {name: fashion, data: {kind: fashion-mnist}, updates: 3, mixture: {kind: replay, share: 0.5}, moments: reset}
            - {name: cifar, data: {kind: cifar10, grey: true, side: 28}, updates: 3, mixture: {kind: replay, share: 0.5}}
        evaluate: {everyRounds: 4, samples: 20}
        """;

    private readonly TemporaryFolder _folder = new();

    public MaeStagesTests()
    {
        byte[] labels = [.. Enumerable.Range(0, 24).Select(i => (byte)(i % 10))];
        foreach (var name in (string[])["mnist", "fashion-mnist"])
        {
            var images = Data.Samples.IdxImages(24);
            if (name == "mnist") { images.AsSpan(16).Reverse(); } // Not the same images in both.
            foreach (var part in (string[])["train", "t10k"])
            {
                _folder.Write($"{name}/{part}-images-idx3-ubyte", images);
                _folder.Write($"{name}/{part}-labels-idx1-ubyte", Data.Samples.IdxLabels(labels));
            }
        }

        _folder.Write("cifar10/train.bin", Data.Samples.Cifar(labels));
        _folder.Write("cifar10/test.bin", Data.Samples.Cifar(labels));
    }

    public void Dispose() => _folder.Dispose();

    private ContinualMethod Method(params string[] changes) => new(Read(changes), [_folder.Path], CPU);

    private static JobSpec Read(params string[] changes) => SpecReader.Read(Yaml, "spec.yaml", changes).Require();

    private static string Bits(ContinualMethod method) => Convert.ToHexString(StateBytes(method.State));

    private static byte[] StateBytes(MethodState state) =>
        [.. state.Buffers.SelectMany(b => System.Security.Cryptography.SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(b.Buffer.Span)))];

    [Fact]
    public void Weights_and_losses_are_the_same_bits_for_any_number_of_workers()
    {
        var answers = new List<(string Bits, Recorder Told)>();
        foreach (var count in (int[])[1, 2, 3])
        {
            var methods = Enumerable.Range(0, count).Select(_ => Method()).ToArray();
            var told = Ranks.Run(count, mesh =>
            {
                var recorder = new Recorder();
                using var loop = new RoundLoop(methods[mesh.Rank], Read(), recorder);
                loop.Run(mesh, () => default);
                return recorder;
            });
            foreach (var (method, recorder) in methods.Zip(told))
            {
                answers.Add((Bits(method), recorder));
                method.Dispose();
            }
        }

        Assert.All(answers, answer => Assert.Equal(answers[0].Bits, answer.Bits));
        Assert.All(answers, answer => Assert.Equal(answers[0].Told.Commits, answer.Told.Commits));
        Assert.All(answers, answer => Assert.Equal(answers[0].Told.Evaluations, answer.Told.Evaluations));
        Assert.All(answers[0].Told.Commits, commit => Assert.Null(commit.Skipped));
    }

    [Fact]
    public void Each_set_is_evaluated_by_its_reconstruction_into_the_forgetting_matrix()
    {
        using var method = Method();
        var evaluations = new List<EvaluationRecord>();
        Ranks.Run(1, mesh =>
        {
            using var loop = new RoundLoop(method, Read(), new EvaluationListener((counters, sets) => evaluations.Add(new EvaluationRecord(
                counters.Round, counters.SamplesSeen, method.NodeAfter(counters.Round),
                ImmutableSortedDictionary.CreateRange(sets.Select(e => KeyValuePair.Create(e.Set, new SetScore(e.Tally.MeanLoss, e.Tally.Accuracy, e.Tally.Weight))))))));
            return loop.Run(mesh, () => default);
        });

        var matrix = ForgettingMatrix.Of(["mnist", "fashion", "cifar"], evaluations)!;
        Assert.Equal(3, matrix.Losses.Length);
        Assert.All(matrix.Losses.SelectMany(row => row), loss => Assert.InRange(loss, 1e-4, 10));
        Assert.All(matrix.Accuracies.SelectMany(row => row), accuracy => Assert.Equal(double.NaN, accuracy));
        Assert.True(matrix.Losses[0][0] < matrix.Untrained!.Value[0], "it has learnt something");
    }

    [Fact]
    public void Sets_of_unlike_images_are_refused_by_name()
    {
        var refused = Assert.Throws<BadInputException>(() => Method("continual.stages[2].data={kind: cifar10, side: 28}"));
        Assert.Contains("stage 'cifar' has samples of [16, 148]", refused.Message, StringComparison.Ordinal);
        var problem = Assert.Single(SpecReader.Read(Yaml, "spec.yaml", ["continual.stages[2].data={kind: cifar10}"]).Problems);
        Assert.Equal("continual.stages[2].data.kind", problem.Key);
        Assert.Contains("images of 32x32 pixels, with model.patch 7", problem.ToString(), StringComparison.Ordinal);
    }
}
