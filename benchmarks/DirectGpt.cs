using System.Diagnostics;
using System.Globalization;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Tokens;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Cluster.Benchmarks;

/// <summary>
/// A GPT and its training loop as one would write them in TorchSharp alone: modules, <c>AdamW</c>, <c>clip_grad_norm_</c>, batches from
/// a text in memory; no rounds, no leaves, no flat buffers. The same network as the gpt of a job, tensor by tensor.
/// </summary>
internal sealed class DirectGpt : Module<Tensor, Tensor>
{
    private readonly Embedding token;
    private readonly Embedding position;
    private readonly ModuleList<DirectGptBlock> blocks;
    private readonly LayerNorm norm;

    public DirectGpt(ModelSpec.Gpt spec) : base(nameof(DirectGpt))
    {
        token = Embedding(ByteTokenizer.Count, spec.Width);
        position = Embedding(spec.Context, spec.Width);
        blocks = ModuleList(Enumerable.Range(0, spec.Layers).Select(_ => new DirectGptBlock(spec.Width, spec.Heads)).ToArray());
        norm = LayerNorm(spec.Width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor tokens)
    {
        var x = token.forward(tokens).add(position.weight!);
        foreach (var block in blocks) { x = block.forward(x); }
        return functional.linear(norm.forward(x), token.weight!);
    }

    /// <summary>One process of <see cref="ThroughputBenchmark"/>: <c>rounds N</c> answers with the milliseconds of each step.</summary>
    /// <param name="settings">Of the spec, as for the job that it is compared with.</param>
    public static int Run(string specFile, string[] settings)
    {
        var job = SoleWorker.Read(specFile, settings);
        var (spec, batch) = ((ModelSpec.Gpt)job.Model!, job.Batch!.Value);
        set_num_threads(job.Threads);
        var text = File.ReadAllBytes(DataSearch.FindFile("text/tinyshakespeare.txt", DataRoots.Of(null, null, Environment.GetEnvironmentVariable(DataRoots.Variable))));
        using var generator = manual_seed(1);
        using var model = new DirectGpt(spec);
        var optimizer = optim.AdamW(model.parameters(), 0.001, beta1: job.Optimizer.Beta1, beta2: job.Optimizer.Beta2, weight_decay: job.Optimizer.WeightDecay!.Value);

        Console.WriteLine("0"); // It listens on no port.
        Console.ReadLine();
        var next = 0;
        while (Console.ReadLine()?.Split(' ') is ["rounds", var count])
        {
            var times = new List<string>();
            for (var i = int.Parse(count, CultureInfo.InvariantCulture); i > 0; i--)
            {
                var began = Stopwatch.GetTimestamp();
                using var scope = NewDisposeScope();
                var (inputs, targets) = Batch(text, batch, spec.Context, ref next);
                optimizer.zero_grad();
                var loss = functional.cross_entropy(model.forward(inputs).view(-1, ByteTokenizer.Count), targets.view(-1));
                loss.backward();
                nn.utils.clip_grad_norm_(model.parameters(), job.Clip!.Norm);
                optimizer.step();
                if (!float.IsFinite(loss.item<float>())) { throw new InvalidOperationException("the loss is not finite"); }
                times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds.ToString("R", CultureInfo.InvariantCulture));
            }

            Console.WriteLine(string.Join(' ', times));
        }

        return 0;
    }

    /// <summary>The next windows of the text, and the bytes that follow each place: [n, T] both.</summary>
    private static (Tensor Inputs, Tensor Targets) Batch(byte[] text, int n, int length, ref int next)
    {
        var (inputs, targets) = (new long[n * length], new long[n * length]);
        for (var i = 0; i < n * length; i++)
        {
            (inputs[i], targets[i]) = (text[next], text[next + 1]);
            next = (next + 1) % (text.Length - 1);
        }

        return (tensor(inputs, [n, length]), tensor(targets, [n, length]));
    }
}

internal sealed class DirectGptBlock : Module<Tensor, Tensor>
{
    private readonly LayerNorm norm1;
    private readonly Linear qkv;
    private readonly Linear project;
    private readonly LayerNorm norm2;
    private readonly Linear expand;
    private readonly Linear contract;
    private readonly int _heads;

    public DirectGptBlock(int width, int heads) : base(nameof(DirectGptBlock))
    {
        (norm1, norm2) = (LayerNorm(width), LayerNorm(width));
        (qkv, project) = (Linear(width, 3 * width), Linear(width, width));
        (expand, contract) = (Linear(width, 4 * width), Linear(4 * width, width));
        _heads = heads;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        var (n, length, width) = (input.shape[0], input.shape[1], input.shape[2]);
        var parts = qkv.forward(norm1.forward(input)).view(n, length, 3, _heads, width / _heads).permute(2, 0, 3, 1, 4).unbind(0);
        var mixed = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_casual: true);
        var x = input.add(project.forward(mixed.transpose(1, 2).reshape(n, length, width)));
        return x.add(contract.forward(functional.gelu(expand.forward(norm2.forward(x)))));
    }
}
