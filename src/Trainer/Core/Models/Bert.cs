using Cluster.Contracts.Spec;
using TorchSharp;
using TorchSharp.Modules;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// A bidirectional encoder with masked-token prediction: "BERT: Pre-training of Deep Bidirectional Transformers", Devlin et al.
/// 2019, section 3. Learned positions, normalisation after each residual sum, GELU, and the masked-token head of the authors'
/// code: a dense layer with GELU and normalisation, then logits = h · Eᵀ + b, tied to the token table.
/// </summary>
/// <remarks>
/// Inputs have one token more than outputs: token number <c>classes</c> is the mask, which is read and never predicted, so the
/// head uses the rows of E before it. There is one kind of segment and no next-sentence task. Initial weights N(0, 0.02²).
/// </remarks>
internal sealed class Bert : Network
{
    private readonly Embedding token;    // E [classes + 1, width]
    private readonly Embedding position; // [context, width]
    private readonly LayerNorm norm;
    private readonly ModuleList<BertBlock> blocks;
    private readonly Linear head_dense;
    private readonly LayerNorm head_norm;
    private readonly Parameter head_bias; // b [classes]
    private readonly int _context;
    private readonly double _dropout;

    public Bert(ModelSpec.Bert spec, IReadOnlyList<long> inputShape, int classes) : base(nameof(Bert))
    {
        SampleShape.RequireTokens("bert", inputShape, spec.Context, spec.Width, spec.Heads);
        token = Embedding(classes + 1, spec.Width);
        position = Embedding(spec.Context, spec.Width);
        norm = LayerNorm(spec.Width);
        blocks = ModuleList(Enumerable.Range(0, spec.Layers).Select(_ => new BertBlock(spec)).ToArray());
        head_dense = Linear(spec.Width, spec.Width);
        head_norm = LayerNorm(spec.Width);
        head_bias = Parameter(zeros(classes));
        _context = spec.Context;
        _dropout = spec.Dropout;
        RegisterComponents();
        TransformerWeights.Initialize(this, residualScale: 1);
    }

    /// <summary>Tokens [n, T], some of them the mask, to logits of the token that stood there [n, T, classes].</summary>
    public override Tensor forward(Tensor tokens)
    {
        var length = tokens.shape[1];
        SampleShape.RequireContext(length, _context);
        var x = token.forward(tokens).add_(position.weight!.narrow(0, 0, length), One); // [n, T, width]
        x = functional.dropout(norm.forward(x), _dropout, training);
        foreach (var block in blocks) { x = Forward(block, x); }
        var h = head_norm.forward(functional.gelu(head_dense.forward(x)));
        return functional.linear(h, token.weight!.narrow(0, 0, head_bias.shape[0]), head_bias);
    }
}

/// <summary>x ← norm(x + attention(x)); x ← norm(x + feedForward(x)).</summary>
internal sealed class BertBlock : Module<Tensor, Tensor>
{
    private readonly SelfAttention attention;
    private readonly LayerNorm norm1;
    private readonly FeedForward mlp;
    private readonly LayerNorm norm2;
    private readonly double _dropout;

    public BertBlock(ModelSpec.Bert spec) : base(nameof(BertBlock))
    {
        attention = new SelfAttention(spec.Width, spec.Heads, causal: false, spec.Dropout);
        norm1 = LayerNorm(spec.Width);
        mlp = new FeedForward(spec.Width);
        norm2 = LayerNorm(spec.Width);
        _dropout = spec.Dropout;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = norm1.forward(input.add(functional.dropout(attention.forward(input), _dropout, training), One));
        return norm2.forward(x.add(functional.dropout(mlp.forward(x), _dropout, training), One)).MoveToOuterDisposeScope();
    }
}
