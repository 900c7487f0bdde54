using TorchSharp;
using TorchSharp.Modules;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Cluster.Trainer.Core.Models;

/// <summary>Multi-head self-attention ("Attention Is All You Need", Vaswani et al. 2017, section 3.2), [n, T, width] to the same.</summary>
internal sealed class SelfAttention : Module<Tensor, Tensor>
{
    private readonly Linear qkv;
    private readonly Linear project;
    private readonly int _heads;
    private readonly bool _causal;
    private readonly double _dropout;

    /// <param name="causal">A token sees itself and those before it, not those after it.</param>
    /// <param name="dropout">Share of attention weights dropped in training.</param>
    public SelfAttention(long width, int heads, bool causal, double dropout) : base(nameof(SelfAttention))
    {
        qkv = Linear(width, 3 * width);
        project = Linear(width, width);
        _heads = heads;
        _causal = causal;
        _dropout = dropout;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (n, tokens, width) = (x.shape[0], x.shape[1], x.shape[2]);
        var parts = qkv.forward(x).view(n, tokens, 3, _heads, width / _heads).permute(2, 0, 3, 1, 4).unbind(0);
        var (q, k, v) = (parts[0], parts[1], parts[2]); // [n, heads, T, width / heads] each
        var mixed = functional.scaled_dot_product_attention(q, k, v, p: training ? _dropout : 0, is_casual: _causal);
        return project.forward(mixed.transpose(1, 2).reshape(n, tokens, width)).MoveToOuterDisposeScope();
    }
}

/// <summary>Two linear layers with GELU (Hendrycks and Gimpel 2016, the exact form) between them, applied to each token.</summary>
internal sealed class FeedForward : Module<Tensor, Tensor>
{
    private readonly Linear expand;
    private readonly Linear project;

    public FeedForward(long width) : base(nameof(FeedForward))
    {
        expand = Linear(width, 4 * width);
        project = Linear(4 * width, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return project.forward(functional.gelu(expand.forward(x))).MoveToOuterDisposeScope();
    }
}

/// <summary>A block that normalises before each part, [n, T, width] to the same: x ← x + attention(norm(x)); x ← x + feedForward(norm(x)).</summary>
internal sealed class PreNormBlock : Module<Tensor, Tensor>
{
    private readonly LayerNorm norm1;
    private readonly SelfAttention attention;
    private readonly LayerNorm norm2;
    private readonly FeedForward mlp;
    private readonly double _dropout;

    public PreNormBlock(long width, int heads, bool causal, double dropout) : base(nameof(PreNormBlock))
    {
        norm1 = LayerNorm(width);
        attention = new SelfAttention(width, heads, causal, dropout);
        norm2 = LayerNorm(width);
        mlp = new FeedForward(width);
        _dropout = dropout;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input.add(functional.dropout(attention.forward(norm1.forward(input)), _dropout, training), One);
        return x.add(functional.dropout(mlp.forward(norm2.forward(x)), _dropout, training), One).MoveToOuterDisposeScope();
    }
}

/// <summary>The initial weights that BERT and GPT share.</summary>
internal static class TransformerWeights
{
    private const double Deviation = 0.02;

    /// <summary>
    /// Matrices N(0, 0.02²), biases 0, normalisation 1 and 0. What is added to the residual stream is scaled down by
    /// <paramref name="residualScale"/>.
    /// </summary>
    public static void Initialize(Network network, double residualScale)
    {
        using var _ = no_grad();
        foreach (var (name, parameter) in network.named_parameters())
        {
            if (parameter.dim() > 1)
            {
                init.normal_(parameter, 0, name.EndsWith("project.weight", StringComparison.Ordinal) ? Deviation * residualScale : Deviation);
            }
            else if (name.EndsWith("bias", StringComparison.Ordinal))
            {
                init.zeros_(parameter);
            }
        }
    }
}
