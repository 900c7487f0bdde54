using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Tests.Rounds;
using Cluster.Tests.Spec;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.Lamb;
using Cluster.Trainer.Rounds;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Models;

/// <summary>Modules that PyTorch saved (<c>Scripts/make.py</c>), trained as any other model.</summary>
[Collection(TorchTests.Name)]
public sealed class ScriptNetworkTests : IDisposable
{
    /// <summary>5 leaves a round, the last one ragged.</summary>
    private const string Job = """
        name: script
        method: lamb
        model: { kind: torchscript, file: convolution.pt }
        data: { kind: digits }
        batch: 150
        leaf: 32
        rounds: 8
        schedule: { lr: 0.02 }
        evaluate: { everyRounds: 4, samples: 500 }
        """;

    private static readonly string s_scripts = Path.Combine(AppContext.BaseDirectory, "Models", "Scripts");

    private readonly string _folder = Directory.CreateTempSubdirectory("cluster-script-").FullName;

    private static FlatModel Model(string file) => new(Network(file, s_scripts), Precision.Float32, CPU);

    private static Network Network(string file, string folder) => ModelCatalog.Create(new ModelSpec.TorchScript { File = file }, [1, 8, 8], 10, seed: 1, CPU, [folder]);

    private static LargeBatchMethod Method(JobSpec spec) => new(spec, [s_scripts, DataRoots.Shipped], CPU);

    private static string Bits(LargeBatchMethod method) => $"{StateHash.Of(method.State)} {WeightsHash.Of(method.State.Layout, method.State.Buffers[0].Buffer)}";

    private static Recorder[] Run(JobSpec spec, LargeBatchMethod[] methods, int rounds = int.MaxValue) => Ranks.Run(methods.Length, mesh =>
    {
        var told = new Recorder();
        using var loop = new RoundLoop(methods[mesh.Rank], spec, told);
        loop.Run(mesh, () => new RoundWish(Stop: told.Commits.Count + 1 >= rounds, Generation: 1));
        return told;
    });

    [Theory, InlineData(2), InlineData(3), InlineData(5)]
    public void Weights_and_evaluations_are_the_same_bits_for_any_number_of_workers(int count)
    {
        var spec = SpecSamples.Read(Job);
        using var one = Method(spec);
        var untrained = Bits(one);
        var expected = Run(spec, [one])[0];
        Assert.NotEqual(untrained, Bits(one));
        Assert.True(expected.Evaluations[^1].Tally.MeanLoss < expected.Evaluations[0].Tally.MeanLoss);

        var methods = Enumerable.Range(0, count).Select(_ => Method(spec)).ToArray();
        foreach (var (method, told) in methods.Zip(Run(spec, methods)))
        {
            Assert.Equal(Bits(one), Bits(method));
            Assert.Equal(expected.Commits, told.Commits);
            Assert.Equal(expected.Evaluations, told.Evaluations);
            method.Dispose();
        }
    }

    private const string Federated = """
        name: script
        method: fedHyper
        model: { kind: torchscript, file: convolution.pt }
        data: { kind: digits }
        rounds: 3
        federated:
          partition: { kind: iid, clients: 9 }
          clientsPerRound: 5
          localSteps: 3
          localLr: 0.01
        """;

    private const string Continual = """
        name: script
        method: continual
        model: { kind: torchscript, file: convolution.pt }
        batch: 64
        leaf: 20
        continual:
          schedule: { kind: infinite, max: 3e-3, constant: 1.2e-3, min: 6e-5, of: 40, warmupEnd: 0.1, cooldownEnd: 0.6 }
          stages:
            - { name: digits, data: { kind: digits }, updates: 5, release: { updates: 2 } }
        evaluate: { samples: 200 }
        """;

    [Theory, InlineData(Federated), InlineData(Continual)]
    public void The_other_methods_give_the_same_bits_for_any_number_of_workers_too(string job)
    {
        var spec = SpecSamples.Read(job);
        var hashes = ((int[])[1, 3]).SelectMany(count =>
        {
            var methods = Enumerable.Range(0, count).Select(_ => TrainingMethods.Create(spec, [s_scripts, DataRoots.Shipped], CPU)).ToArray();
            var untrained = StateHash.Of(methods[0].State);
            Ranks.Run(count, mesh =>
            {
                using var loop = new RoundLoop(methods[mesh.Rank], spec, new Recorder());
                return loop.Run(mesh, () => default);
            });
            var trained = methods.Select(method => StateHash.Of(method.State)).ToArray();
            Assert.DoesNotContain(untrained, trained);
            foreach (var method in methods) { method.Dispose(); }
            return trained;
        }).ToArray();

        Assert.Equal(4, hashes.Length);
        Assert.Single(hashes.Distinct());
    }

    [Fact]
    public void A_run_that_goes_on_from_a_copy_of_its_state_gives_the_same_bits()
    {
        var spec = SpecSamples.Read(Job);
        using var whole = Method(spec);
        Run(spec, [whole]);

        using var first = Method(spec);
        Run(spec, [first], rounds: 3);
        using var second = Method(spec);
        foreach (var ((_, from), (_, to)) in first.State.Buffers.Zip(second.State.Buffers)) { to.CopyFrom(from); }
        foreach (var (name, value) in first.State.Counters) { second.State.Counters[name] = value; }
        var rest = Run(spec, [second])[0];

        Assert.Equal(5, rest.Commits.Count);
        Assert.Equal(Bits(whole), Bits(second));
    }

    /// <summary>Left alone, libtorch rewrites this module after its first run, and the second one has other bits.</summary>
    [Fact]
    public void A_module_that_runs_as_written_gives_the_same_bits_from_its_first_run_on()
    {
        ScriptExecution.RunAsWritten();
        using var scope = NewDisposeScope();
        using var batch = Sample.All["mlp"].Batch(seed: 3, count: 4);
        using var file = jit.load<Tensor, Tensor>(Path.Combine(s_scripts, "convolution.pt"));
        file.train();
        Tensor[] parameters = [.. file.named_parameters().Select(p => p.parameter)];
        var runs = Enumerable.Range(0, 4).Select(_ =>
        {
            var loss = nn.functional.cross_entropy(file.forward(batch.Inputs), batch.Targets, reduction: nn.Reduction.Sum);
            return string.Concat(autograd.grad([loss], parameters).Select(gradient => Convert.ToHexString(SHA256.HashData(gradient.contiguous().bytes))));
        }).ToArray();

        Assert.Single(runs.Distinct());
    }

    /// <summary>A leaf must be the same as a worker's first and as its tenth.</summary>
    [Theory, InlineData("convolution.pt"), InlineData("traced.pt")]
    public void A_leaf_is_the_same_bits_however_often_the_module_ran(string file)
    {
        using var model = Model(file);
        using var batch = Sample.All["mlp"].Batch(seed: 3, count: 32);
        using var into = new FlatBuffer(model.Layout.Length);
        var answers = Enumerable.Range(0, 6).Select(_ =>
        {
            var tally = model.TrainLeaf(batch, seed: 7, into);
            return (tally, Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(into.Span))));
        }).ToArray();

        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        Assert.Contains(into.Span.ToArray(), gradient => gradient != 0);
    }

    [Fact]
    public void Parameters_have_the_names_and_the_values_of_the_file()
    {
        using var model = Model("convolution.pt");
        Assert.Equal(["conv.weight", "conv.bias", "norm.weight", "norm.bias", "out.weight", "out.bias"], model.Layout.Segments.Select(segment => segment.Name));

        using var file = jit.load(Path.Combine(s_scripts, "convolution.pt"));
        foreach (var ((_, parameter), segment) in file.named_parameters().Zip(model.Layout.Segments))
        {
            Assert.Equal(parameter.shape, segment.Shape);
            Assert.Equal(parameter.data<float>().ToArray(), model.Theta.Slice(segment.Offset, segment.Length).ToArray());
        }
    }

    [Fact]
    public void The_module_computes_with_the_flat_buffer()
    {
        using var model = Model("convolution.pt");
        using var batch = Sample.All["mlp"].Batch(seed: 3);
        var before = model.EvaluateLeaf(batch);
        model.Theta.Clear(); // All logits are then equal.
        var after = model.EvaluateLeaf(batch);

        Assert.NotEqual(before.Loss, after.Loss);
        Assert.Equal(Math.Log(10), after.MeanLoss, 5);
    }

    [Fact]
    public void What_needs_no_gradient_stays_as_it_is_in_the_file()
    {
        using var model = Model("fixed.pt");
        Assert.Equal(["out.weight"], model.Layout.Segments.Select(segment => segment.Name));

        using var batch = Sample.All["mlp"].Batch(seed: 3);
        model.Theta.Clear(); // Logits are then half the bias of the file.
        using var file = jit.load<Tensor, Tensor>(Path.Combine(s_scripts, "fixed.pt"));
        using var bias = file.named_parameters().Single(p => p.name == "out.bias").parameter.detach();
        using var logits = bias.mul(0.5f.ToScalar()).unsqueeze(0).expand(batch.Samples, 10);
        using var loss = nn.functional.cross_entropy(logits, batch.Targets, reduction: nn.Reduction.Sum);
        Assert.Equal(loss.item<float>(), model.EvaluateLeaf(batch).Loss, 4);
    }

    [Theory]
    [InlineData("normalised.pt", "changes its buffer 'norm.running_mean' as it runs")]
    [InlineData("counting.pt", "changes its own attribute 'count' as it runs")]
    [InlineData("remembering.pt", "gives two different results for one batch")]
    [InlineData("double.pt", "has the parameter 'out.weight' of Float64 on cpu: dense float32 on the CPU is needed")]
    [InlineData("tied.pt", "has the parameters 'out.weight' and 'twin.weight' in the same memory")]
    [InlineData("seven.pt", "gives Float32 [2, 7] for 2 samples; Float32 [2, 10] is needed")]
    [InlineData("pair.pt", "gives something else than one tensor")]
    [InlineData("two.pt", "failed: forward() is missing value for argument 'more'")]
    [InlineData("raising.pt", "failed: builtins.ValueError: too few images for this network")]
    [InlineData("detached.pt", "gives logits that depend on no parameter")]
    [InlineData("tensors.pt", "holds tensors without code, as torch.save writes them")]
    public void A_module_that_breaks_the_contract_is_refused_in_a_sentence(string file, string part) => Refuses(file, s_scripts, part);

    [Theory]
    [InlineData("empty", "is empty")]
    [InlineData("text", "is no TorchScript archive, or is damaged")]
    [InlineData("cut", "is no TorchScript archive, or is damaged")]
    [InlineData("bit in a tensor", "is damaged: the bytes of convolution/data/0 are not those that were written")]
    [InlineData("bit in the directory", "damaged")]
    [InlineData("missing", "data file 'damaged.pt' not found")]
    public void A_damaged_file_is_refused_before_native_code_sees_it(string how, string part)
    {
        var bytes = File.ReadAllBytes(Path.Combine(s_scripts, "convolution.pt"));
        var at = bytes.AsSpan().IndexOf("convolution/data/0"u8) + 130; // Behind the padding; the first tensor has 144 bytes.
        byte[]? damaged = how switch
        {
            "empty" => [],
            "text" => [.. Enumerable.Repeat((byte)'x', 1000)],
            "cut" => bytes[..(bytes.Length / 2)],
            "bit in a tensor" => [.. bytes[..at], (byte)(bytes[at] ^ 1), .. bytes[(at + 1)..]],
            "bit in the directory" => [.. bytes[..^60], (byte)(bytes[^60] ^ 0xff), .. bytes[^59..]],
            _ => null,
        };
        if (damaged is not null) { File.WriteAllBytes(Path.Combine(_folder, "damaged.pt"), damaged); }
        Refuses("damaged.pt", _folder, part, mayHaveLines: damaged is null);
    }

    [Theory]
    [InlineData("class Net(Module):\n  def forward(self):\n    self.count = torch.add(count, 1)\n", "count")]
    [InlineData("class Net(Module):\n  def forward(self):\n    (inner).seen = _0\n", "seen")]
    [InlineData("class Net(Module):\n  count : int\n  scale : Final[float] = 1.\n  def forward(self):\n    count = self.count\n    _1 = \"self.count = 1\"\n", null)]
    [InlineData("class Pair:\n  def __init__(self):\n    self.first = first\n", null)]
    public void An_assignment_to_an_attribute_is_seen_in_the_code(string code, string? attribute) => Assert.Equal(attribute, ScriptArchive.Assigned(code));

    [Fact]
    public void The_file_is_part_of_what_makes_the_answer()
    {
        File.Copy(Path.Combine(s_scripts, "convolution.pt"), Path.Combine(_folder, "net.pt"));
        var spec = SpecSamples.Read(Job.Replace("convolution.pt", "net.pt", StringComparison.Ordinal));
        var recorded = DataRecord.Record(spec, [_folder]);
        Assert.Matches("^[0-9a-f]{64}$", ((ModelSpec.TorchScript)recorded.Model).Sha256!);
        Assert.Equal(SpecHash.Of(recorded), SpecHash.Of(DataRecord.Record(recorded, [_folder])));
        Assert.Equal(spec, DataRecord.Record(spec, ["/no/such/folder"], whereFound: true)); // The cluster may have it.

        File.Copy(Path.Combine(s_scripts, "traced.pt"), Path.Combine(_folder, "net.pt"), overwrite: true);
        Assert.NotEqual(SpecHash.Of(recorded), SpecHash.Of(DataRecord.Record(spec, [_folder])));
        foreach (var use in (Action[])[() => DataRecord.Record(recorded, [_folder]), () => new LargeBatchMethod(recorded, [_folder, DataRoots.Shipped], CPU).Dispose()])
        {
            Assert.Contains("net.pt changed since it was recorded", Assert.Throws<BadInputException>(use).Message, StringComparison.Ordinal);
        }
    }

    private static void Refuses(string file, string folder, string part, bool mayHaveLines = false)
    {
        var message = Assert.Throws<BadInputException>(() => Network(file, folder).Dispose()).Message;
        Assert.Contains(part, message, StringComparison.Ordinal);
        Assert.DoesNotContain("frame #", message, StringComparison.Ordinal);
        if (!mayHaveLines) { Assert.DoesNotContain(message, char.IsControl); }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
