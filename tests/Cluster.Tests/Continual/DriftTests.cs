using System.Runtime.InteropServices;
using Cluster.Contracts.Lineage;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Methods.Continual;
using Cluster.Trainer.Rounds;
using static TorchSharp.torch;

namespace Cluster.Tests.Continual;

/// <summary>The test by itself, the detector around it, and both in a job whose second text is unlike its first.</summary>
[Collection(TorchTests.Name)]
public sealed class DriftTests
{
    private const double Delta = 0.15, Threshold = 4;

    /// <summary>Uniform in level ± 0.5.</summary>
    private static IEnumerable<double> Noise(ulong seed, int count, double level)
    {
        var random = new SeededRandom(seed);
        double[] series = [.. Enumerable.Range(0, count).Select(_ => level + random.NextDouble() - 0.5)];
        return series;
    }

    private static List<int> Drifts(IEnumerable<double> series, long warmUp = 0)
    {
        var detector = new DriftDetector(new DriftSpec { Delta = Delta, Threshold = Threshold, WarmUp = warmUp }, new Dictionary<string, long>());
        var found = new List<int>();
        foreach (var (i, x) in series.Index())
        {
            if (detector.See(x, i + 1, i + 1).IsDrift) { found.Add(i); }
        }

        return found;
    }

    /// <summary>Each term from all values before it, as the formula has it.</summary>
    [Fact]
    public void The_statistic_is_that_of_the_formula()
    {
        double[] series = [.. Noise(1, 200, 2), .. Noise(2, 50, 2.4), .. Noise(3, 50, 1)];
        var test = default(PageHinkley);
        var sums = new List<double>();
        for (var t = 0; t < series.Length; t++)
        {
            test = test.After(series[t], Delta);
            sums.Add((t == 0 ? 0 : sums[^1]) + series[t] - series[..(t + 1)].Average() - Delta);
            Assert.Equal(sums[^1] - sums.Min(), test.Statistic, 1e-9);
        }
    }

    [Fact]
    public void A_jump_is_found_soon_after_it_and_once()
    {
        for (var seed = 0UL; seed < 20; seed++)
        {
            var found = Drifts([.. Noise(seed, 300, 2), .. Noise(seed + 100, 200, 3)]);
            Assert.InRange(Assert.Single(found), 301, 312); // A rise of 1 counts 0.85 an update: above 4 with the fifth, noise apart.
        }
    }

    /// <summary>With δ = 0.15 and a deviation of 0.29, the statistic's tail falls by e for each 0.28: above 4 is one in a million.</summary>
    [Fact]
    public void Noise_and_a_falling_loss_are_no_drift()
    {
        for (var seed = 0UL; seed < 20; seed++)
        {
            Assert.Empty(Drifts(Noise(seed, 500, 2)));
            Assert.Empty(Drifts(Noise(seed, 500, 2).Select((x, t) => x + (4 * Math.Exp(-t / 50.0)))));
        }
    }

    [Fact]
    public void The_warm_up_is_not_looked_at_and_comes_again_after_a_drift()
    {
        double[] series = [.. Enumerable.Repeat(0.0, 10), .. Enumerable.Repeat(2.0, 20), .. Enumerable.Repeat(9.0, 30)];
        Assert.Equal([12, 30], Drifts(series)); // From 0 to 2 with the third, from 2 to 9 at once.
        Assert.Equal([30], Drifts(series, warmUp: 10)); // The series begins with its first 2, and after the drift with a 9.
    }

    /// <summary>Twenty updates on plays, then digits alone, whose bytes the model has learnt not to expect.</summary>
    private static readonly string[] s_shift = ["continual.stages[0].updates=20", "continual.stages[1].updates=12", "continual.stages[1].mixture={kind: current}"];

    private static JobSpec Watched(string action) => ContinualSamples.Read([.. s_shift, $"continual.drift={{delta: 0.1, threshold: 0.6, warmUp: 5, action: {action}}}"]);

    private static ContinualMethod Method(JobSpec spec) => new(spec, [DataRoots.Shipped], CPU);

    private static Recorder[] Run(JobSpec spec, ContinualMethod[] methods, int rounds = int.MaxValue) => Ranks.Run(methods.Length, mesh =>
    {
        var told = new Recorder();
        using var loop = new RoundLoop(methods[mesh.Rank], spec, told);
        loop.Run(mesh, () => new RoundWish(Stop: told.Commits.Count + 1 >= rounds, Generation: 1));
        return told;
    });

    private static string Bits(ContinualMethod method) =>
        string.Concat(method.State.Buffers.Select(b => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(MemoryMarshal.AsBytes(b.Buffer.Span)))))
        + string.Join(',', method.State.Counters);

    /// <summary>State, the drifts and what is evaluated; and the weights are those of a job that nobody watches.</summary>
    [Fact]
    public void Drifts_are_the_same_for_any_number_of_workers_and_change_no_weight()
    {
        var spec = Watched("checkpoint");
        using var one = Method(spec);
        var alone = Run(spec, [one])[0];
        Assert.NotEmpty(alone.Notices);
        Assert.Contains(alone.Notices, notice => notice.StartsWith("drift at update 2", StringComparison.Ordinal) && notice.Contains("above the threshold 0.6; the state is kept", StringComparison.Ordinal));

        var methods = Enumerable.Range(0, 3).Select(_ => Method(spec)).ToArray();
        foreach (var (method, told) in methods.Zip(Run(spec, methods)))
        {
            Assert.Equal(Bits(one), Bits(method));
            Assert.Equal(alone.Notices, told.Notices);
            Assert.Equal(alone.Evaluations, told.Evaluations);
            method.Dispose();
        }

        var plain = ContinualSamples.Read(s_shift);
        using var unwatched = Method(plain);
        Run(plain, [unwatched]);
        foreach (var ((_, a), (_, b)) in one.State.Buffers.Zip(unwatched.State.Buffers)) { Assert.True(a.Span.SequenceEqual(b.Span)); }
    }

    /// <summary>Before, at and after each drift, and within a branch.</summary>
    [Theory, InlineData("note"), InlineData("raiseReplay, share: 0.75")]
    public void A_run_that_goes_on_from_a_copy_of_its_state_sees_the_same_drifts(string action)
    {
        var spec = Watched(action);
        using var whole = Method(spec);
        var expected = Run(spec, [whole])[0];
        Assert.NotEmpty(expected.Notices);
        foreach (var rounds in (int[])[3, 10, 26, 29, 30, 31, 33, 44])
        {
            using var first = Method(spec);
            var before = Run(spec, [first], rounds)[0];
            using var second = Method(spec);
            foreach (var ((_, from), (_, to)) in first.State.Buffers.Zip(second.State.Buffers)) { to.CopyFrom(from); }
            foreach (var (name, value) in first.State.Counters) { second.State.Counters[name] = value; }
            var after = Run(spec, [second])[0];

            Assert.Equal(Bits(whole), Bits(second));
            Assert.Equal(expected.Notices, [.. before.Notices, .. after.Notices]);
        }
    }

    [Fact]
    public void Raised_replay_changes_the_weights_in_the_same_way_for_any_number_of_workers()
    {
        var spec = Watched("raiseReplay, share: 0.75");
        using var one = Method(spec);
        var alone = Run(spec, [one])[0];
        Assert.All(alone.Notices, notice => Assert.Contains("replay is at least 75 % of a batch", notice, StringComparison.Ordinal));
        Assert.InRange(one.State.Counters["drift.raised"], 21, 32); // Within the second stage.

        var methods = Enumerable.Range(0, 3).Select(_ => Method(spec)).ToArray();
        foreach (var (method, told) in methods.Zip(Run(spec, methods)))
        {
            Assert.Equal(Bits(one), Bits(method));
            Assert.Equal(alone.Notices, told.Notices);
            method.Dispose();
        }

        var noting = Watched("note");
        using var unraised = Method(noting);
        Run(noting, [unraised]);
        Assert.NotEqual(Bits(one), Bits(unraised));
    }

    /// <summary>The node of the round in which it was seen, and no other; a fork or a stage's end stays what it is.</summary>
    [Theory, InlineData("checkpoint", true), InlineData("note", false)]
    public void A_drift_that_is_kept_is_a_milestone_with_an_evaluation(string action, bool isKept)
    {
        var spec = Watched(action);
        using var method = Method(spec);
        var nodes = new Dictionary<long, LineageNode>();
        var told = new Recorder();
        Ranks.Run(1, mesh =>
        {
            using var loop = new RoundLoop(method, spec, told);
            return loop.Run(mesh, () =>
            {
                if (told.Commits.Count > 0) { nodes[told.Commits[^1].Round] = method.NodeAfter(told.Commits[^1].Round); }
                return default;
            });
        });

        long[] drifts = [.. told.Commits.Zip(told.Values).Where(c => c.Second.TryGetValue(DriftDetector.Metric, out var statistic) && statistic > 0.6).Select(c => c.First.Round)];
        Assert.Equal(told.Notices.Count, drifts.Length);
        var plain = new ContinualLineage(ContinualPlan.Of(spec.Continual!), spec.Continual!, 1);
        long[] kept = [.. drifts.Where(round => isKept && plain.After(round).Kind == NodeKind.Trunk && nodes.ContainsKey(round))];
        Assert.Equal(kept, nodes.Where(n => n.Value.Kind == NodeKind.Drift).Select(n => n.Key).Order());
        Assert.Equal(isKept, kept.Length > 0);
        Assert.All(kept, round => Assert.Contains(told.Evaluations, e => e.Round == round));
    }
}
