using Cluster.Contracts.Spec;
using TorchSharp;
using TorchSharp.Modules;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// A causal decoder: "Language Models are Unsupervised Multitask Learners", Radford et al. 2019, section 2.3. Learned positions,
/// normalisation before each part and after the last block, GELU, and a head tied to the token table: logits = x · Eᵀ.
/// </summary>
/// <remarks>
/// Initial weights as in the paper: N(0, 0.02²), and 1/√(2·layers) of that for the matrices that end in the residual stream
/// (two a layer). Dropout, where it is wanted, acts on the embeddings, the attention weights and each part's result.
/// </remarks>
internal sealed class Gpt : Network
{
    private readonly Embedding token;    // E [classes, width]
    private readonly Embedding position; // [context, width]
    private readonly ModuleList<PreNormBlock> blocks;
    private readonly LayerNorm norm;
    private readonly int _context;
    private readonly double _dropout;

    public Gpt(ModelSpec.Gpt spec, IReadOnlyList<long> inputShape, int classes) : base(nameof(Gpt))
    {
        SampleShape.RequireTokens("gpt", inputShape, spec.Context, spec.Width, spec.Heads);
        token = Embedding(classes, spec.Width);
        position = Embedding(spec.Context, spec.Width);
        blocks = ModuleList(Enumerable.Range(0, spec.Layers).Select(_ => new PreNormBlock(spec.Width, spec.Heads, causal: true, spec.Dropout)).ToArray());
        norm = LayerNorm(spec.Width);
        _context = spec.Context;
        _dropout = spec.Dropout;
        RegisterComponents();
        TransformerWeights.Initialize(this, residualScale: 1 / Math.Sqrt(2 * spec.Layers));
    }

    /// <summary>Tokens [n, T] to logits of the next token [n, T, classes].</summary>
    public override Tensor forward(Tensor tokens)
    {
        var length = tokens.shape[1];
        SampleShape.RequireContext(length, _context);
        var x = token.forward(tokens).add_(position.weight!.narrow(0, 0, length), One); // [n, T, width]
        x = functional.dropout(x, _dropout, training);
        foreach (var block in blocks) { x = Forward(block, x); }
        return functional.linear(norm.forward(x), token.weight!);
    }
}
