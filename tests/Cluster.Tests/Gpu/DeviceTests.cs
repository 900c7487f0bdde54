using Cluster.Contracts.Spec;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;
using Cluster.Trainer.Worker;
using TorchSharp;

namespace Cluster.Tests.Gpu;

/// <summary>
/// Every method on every device: it learns, twice the same, on one rank and on two. On a GPU it begins as on the CPU. Those of the GPU
/// are skipped where there is none; <c>eng/check-gpu</c> runs them where there is.
/// </summary>
[Collection(TorchTests.Name)]
public sealed class DeviceTests
{
    /// <summary>How far the first loss on a GPU may be from that on the CPU, relatively: another order of additions in float32, and TF32 is off.</summary>
    private const double Near = 1e-3;

    private const string Digits = "data: { kind: digits }\nbatch: 160\nleaf: 40\nrounds: 40\n";

    private static readonly Dictionary<string, string> s_jobs = new()
    {
        ["lamb"] = $"method: lamb\nmodel: {{ kind: mlp, hidden: [48] }}\n{Digits}schedule: {{ lr: 0.01 }}\n",
        ["lars"] = $"method: lamb\noptimizer: {{ kind: lars }}\nmodel: {{ kind: mlp, hidden: [48] }}\n{Digits}schedule: {{ lr: 0.05 }}\n",
        ["adamw"] = $"method: lamb\noptimizer: {{ kind: adamw }}\nmodel: {{ kind: mlp, hidden: [48] }}\n{Digits}schedule: {{ lr: 0.003 }}\n",
        ["sgd"] = $"method: lamb\noptimizer: {{ kind: sgd, momentum: 0.9 }}\nmodel: {{ kind: mlp, hidden: [48] }}\n{Digits}schedule: {{ lr: 0.02 }}\n",
        ["gpt"] = "method: lamb\nmodel: { kind: gpt, layers: 1, width: 32, heads: 2, context: 32 }\ndata: { kind: text, files: [text/tinyshakespeare.txt] }\nbatch: 16\nleaf: 4\nrounds: 30\nschedule: { lr: 0.01 }\nevaluate: { samples: 32 }\n",
        ["continual"] = "method: continual\nmodel: { kind: gpt, layers: 1, width: 32, heads: 2, context: 32 }\nbatch: 16\nleaf: 4\noptimizer: { kind: adamw }\nevaluate: { samples: 32 }\n"
            + "continual: { schedule: { kind: infinite, of: 40, max: 3e-3, constant: 1.2e-3, min: 6e-5, warmupEnd: 0.05, cooldownEnd: 0.6 }, stages: [{ name: one, data: { kind: text, files: [text/tinyshakespeare.txt] }, updates: 30, release: { updates: 5 } }] }\n",
        ["fedHyper"] = "method: fedHyper\nmodel: { kind: mlp, hidden: [32] }\ndata: { kind: digits }\nrounds: 12\nfederated: { partition: { kind: dirichlet, clients: 10, alpha: 0.3 }, clientsPerRound: 4, localEpochs: 1, localBatch: 16, localLr: 0.01, scheduler: { kind: fedHyper, variant: g+cl }, server: { kind: fedAvgM } }\n",
        ["forwardForward dense"] = "method: forwardForward\nmodel: { kind: mlp, hidden: [64, 48] }\ndata: { kind: digits }\nbatch: 120\nleaf: 40\nrounds: 40\noptimizer: { kind: sgd, momentum: 0.9 }\nschedule: { lr: 0.002 }\nevaluate: { samples: 200 }\nforwardForward: { kind: dense, negatives: randomLabel, label: prepend, peer: 0.03 }\n",
        ["forwardForward graph"] = "method: forwardForward\nmodel: { kind: gcn, layers: 2, width: 16 }\ndata: { kind: graph, path: graphs/cora, split: public }\nepochs: 10\noptimizer: { kind: adam, exclude: nothing }\nschedule: { lr: 0.01, decay: constant }\nforwardForward: { kind: graph, task: nodes, algorithm: sf, validateEvery: 2, patience: 100 }\n",
        ["forwardForward physical"] = "method: forwardForward\nmodel: { kind: physical, layers: 2, width: 20, skip: true, box: { kind: quantised } }\ndata: { kind: vowels, fold: 0 }\nbatch: 206\nleaf: 52\nepochs: 20\noptimizer: { kind: adam, weightDecay: 0 }\nschedule: { lr: 0.002, decay: constant }\nforwardForward: { kind: physical, slope: 4, innerSteps: 10 }\n",
    };

    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var job in s_jobs.Keys)
            {
                data.Add(job, "cpu");
                data.Add(job, "cuda");
            }

            return data;
        }
    }

    [SkippableTheory, MemberData(nameof(Cases))]
    public void It_learns_the_same_each_time_and_on_two_ranks(string job, string device)
    {
        Skip.If(device == "cuda" && !torch.cuda_is_available(), "no GPU: this build of libtorch finds no CUDA device (build with -p:Torch=cuda on a machine that has one)");
        var losses = Run(job, device, ranks: 1, out var weights);
        Assert.All(losses, loss => Assert.True(double.IsFinite(loss), $"{loss}"));
        Assert.True(losses[^Math.Min(5, losses.Length / 2)..].Average() < losses[..Math.Min(5, losses.Length / 2)].Average(), string.Join(' ', losses));

        Assert.Equal(losses, Run(job, device, ranks: 1, out var again));
        Assert.Equal(weights, again);
        Run(job, device, ranks: 2, out var shared);
        Assert.Equal(weights, shared);
        if (device == "cpu") { return; }
        var onCpu = Run(job, "cpu", ranks: 1, out _)[0];
        Assert.InRange(losses[0], onCpu - (Near * Math.Abs(onCpu)), onCpu + (Near * Math.Abs(onCpu)));
    }

    /// <summary>A method that is added learns on a GPU too, or says here why not.</summary>
    [Fact]
    public void Every_method_is_among_them() =>
        Assert.Equal(Enum.GetNames<TrainingMethod>().Order(), s_jobs.Select(job => $"{Spec(job.Key, "cpu").Method}").Distinct().Order());

    /// <summary>The mean loss of every round, and the hash of the weights at the end, which all ranks must have.</summary>
    private static double[] Run(string job, string device, int ranks, out string weights)
    {
        var spec = Spec(job, device);
        var on = ComputeDevice.Prepare(spec);
        // One after the other: their first weights are drawn from the generator of the process.
        var methods = Enumerable.Range(0, ranks).Select(_ => TrainingMethods.Create(spec, [DataRoots.Shipped], on)).ToArray();
        var ends = Ranks.Run(ranks, mesh =>
        {
            using var method = methods[mesh.Rank];
            var told = new Recorder();
            using var loop = new RoundLoop(method, spec, told);
            Assert.IsType<LoopEnd.Finished>(loop.Run(mesh, () => default));
            return (Hash: WeightsHash.Of(method.State.Layout, method.State.Buffers[0].Buffer), Losses: told.Commits.Where(c => c.Tally.Leaves > 0).Select(c => c.Tally.MeanLoss).ToArray());
        });
        weights = ends[0].Hash;
        Assert.All(ends, end => Assert.Equal(ends[0].Hash, end.Hash));
        return ends[0].Losses;
    }

    private static JobSpec Spec(string job, string device) => SpecReader.Read($"name: device\n{s_jobs[job]}", "job.yaml", [$"device={device}"]).Require();
}
