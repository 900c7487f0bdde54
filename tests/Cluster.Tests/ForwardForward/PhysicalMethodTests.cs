using Cluster.Tests.Rounds;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;

namespace Cluster.Tests.ForwardForward;

[Collection(TorchTests.Name)]
public sealed class PhysicalMethodTests
{
    private const string Vowels = """
        name: vowels
        method: forwardForward
        model: { kind: physical, box: { kind: quantised, noise: 0.01, drift: 0.001 } }
        data: { kind: vowels }
        batch: 206
        leaf: 60
        epochs: 5
        optimizer: { kind: adam, weightDecay: 0 }
        schedule: { lr: 0.0005, decay: constant }
        forwardForward: { kind: physical }
        """;

    [Theory]
    [InlineData("model.box.kind=quantised")]
    [InlineData("model={kind: physical, box: {kind: table}, layers: 3, skip: false}")]
    public void The_answer_is_the_same_bits_on_any_number_of_ranks(string change)
    {
        var spec = Jobs.Read(Vowels, change);
        var one = Jobs.Run(spec);
        Assert.Equal(one, Jobs.Run(spec, ranks: 2));
        Assert.Equal(one, Jobs.Run(spec, ranks: 3));
    }

    /// <summary>Forty batches: with the skip connection the vowels are easy; without it all that is known has come through the box.</summary>
    [Theory]
    [InlineData(0.85, "model.box={kind: quantised}")]
    [InlineData(0.85, "model.box={kind: smooth}")]
    [InlineData(0.6, "model.box={kind: smooth}", "model.skip=false")]
    public void It_learns(double accuracy, params string[] changes) =>
        Assert.InRange(Jobs.Run(Jobs.Read(Vowels, ["epochs=40", "schedule.lr=0.003", .. changes])).Accuracy, accuracy, 1);

    /// <summary>Two for each sample, layer and batch, however many steps are taken on them.</summary>
    [Theory, InlineData(1), InlineData(10)]
    public void A_sample_is_measured_twice_a_layer_and_batch(int innerSteps)
    {
        using var method = Jobs.Method(Jobs.Read(Vowels, $"forwardForward.innerSteps={innerSteps}"));
        for (var round = 0L; round < 6; round++) { Round(method, round); }
        Assert.Equal(3 * 2 * 2 * 206, method.State.Counters["measurements"]);
    }

    /// <summary>Whoever measures, the measurement of the batch is the same: a leaf only fills its places.</summary>
    [Fact]
    public void A_cut_into_leaves_changes_no_bit()
    {
        using var whole = Jobs.Method(Jobs.Read(Vowels, "leaf=206"));
        using var cut = Jobs.Method(Jobs.Read(Vowels, "leaf=17"));
        for (var round = 0L; round < 4; round++)
        {
            Round(whole, round);
            Round(cut, round);
            Assert.Equal(StateHash.Of(whole.State), StateHash.Of(cut.State));
        }
    }

    /// <summary>The round of a layer is skipped; the layer above must not learn from a signal of another batch.</summary>
    [Fact]
    public void After_a_skipped_round_the_layer_above_measures_what_it_lacks()
    {
        using var method = Jobs.Method(Jobs.Read(Vowels));
        Round(method, 0);
        Round(method, 1);
        var before = method.State.Counters["measurements"];
        Round(method, 3); // Round 2, the first layer's of the next batch, is skipped.
        Assert.Equal(before + (2 * 2 * 206), method.State.Counters["measurements"]);

        using var other = Jobs.Method(Jobs.Read(Vowels));
        Round(other, 0);
        Round(other, 1);
        Round(other, 2);
        var signal = other.State.Layout.Statistics.Single();
        Round(other, 3);
        Assert.NotEqual(Buffer(method, signal), Buffer(other, signal));
    }

    [Fact]
    public void A_device_that_is_not_there_costs_rounds_and_is_named()
    {
        using var method = Jobs.Method(Jobs.Read(Vowels, "model.box={kind: device, address: '127.0.0.1:1', deadlineMs: 2000}"));
        using var into = new FlatBuffer(method.ContributionLength);
        var tally = method.Contribute(0, method.Leaves(0)[0], into);
        Assert.Equal(double.NaN, tally.Loss);
        Assert.Contains("the black box of layer 1, asked for 120 vectors of 19 numbers: the device at 127.0.0.1:1 cannot be reached", method.TakeTrouble(), StringComparison.Ordinal);
        Assert.Null(method.TakeTrouble());
    }

    /// <summary>One rank's device fails for good: both skip the same rounds with its words, and both end in good order with the state they had.</summary>
    [Theory]
    [InlineData("answered with 206 vectors of 20 numbers", 1)]
    [InlineData("gave NaN as number 0 of vector 0; finite numbers are expected", 2)]
    [InlineData("within 150 ms", 3)]
    public void What_a_device_does_wrong_all_ranks_say(string words, int failure)
    {
        using var never = new ManualResetEventSlim();
        using var bad = new Device((rows, width, values) =>
        {
            switch (failure)
            {
                case 1: return (rows, width + 1, values);
                case 2: return (rows, width, [.. values.Select((value, i) => i == 0 ? float.NaN : value)]);
                default: never.Wait(); return null;
            }
        });
        using var good = new Device((rows, width, values) => (rows, width, values));
        IRoundMethod[] methods =
        [
            .. new[] { good, bad }.Select(device =>
                Jobs.Method(Jobs.Read(Vowels, "leaf=103", $"model.box={{kind: device, address: '{device.Address}', deadlineMs: {(failure == 3 ? 150 : 30_000)}}}"))),
        ];
        var spec = Jobs.Read(Vowels, "nonFinite.maxSkips=2");
        var before = methods[0].State.Buffers[0].Buffer.Span.ToArray();
        var ends = Ranks.Run(2, mesh =>
        {
            var told = new Recorder();
            using var loop = new RoundLoop(methods[mesh.Rank], spec, told);
            return (End: loop.Run(mesh, () => default), Skips: told.Commits.Select(commit => commit.Skipped).ToArray());
        });

        Assert.All(ends, end => Assert.Equal(2, end.Skips.Length));
        Assert.All(ends, end => Assert.All(end.Skips, skip => Assert.Contains(words, skip, StringComparison.Ordinal)));
        Assert.All(ends, end => Assert.Contains(words, Assert.IsType<LoopEnd.InTrouble>(end.End).Reason, StringComparison.Ordinal));
        Assert.All(methods, method => Assert.Equal(before, method.State.Buffers[0].Buffer.Span.ToArray()));
        never.Set();
        foreach (var method in methods) { method.Dispose(); }
    }

    private static float[] Buffer(IRoundMethod method, Segment segment) => method.State.Buffers[0].Buffer.Slice(segment.Offset, segment.Length).ToArray();

    private static void Round(IRoundMethod method, long round)
    {
        using var sum = new FlatBuffer(method.ContributionLength);
        using var leaf = new FlatBuffer(method.ContributionLength);
        var total = method.Leaves(round).Select(one => { var tally = method.Contribute(round, one, leaf); sum.Add(leaf); return tally; }).Aggregate((a, b) => a + b);
        Assert.Null(method.Update(round, sum, total).Skipped);
    }
}
