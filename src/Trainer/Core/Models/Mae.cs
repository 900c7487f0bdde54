using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using TorchSharp;
using TorchSharp.Modules;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// A masked autoencoder: "Masked Autoencoders Are Scalable Vision Learners", He et al. 2022, arXiv:2111.06377, section 3. The encoder, a
/// ViT, sees the visible patches alone; the decoder sees what came of them, and one learnt vector in the place of each hidden one.
/// </summary>
/// <remarks>
/// <code>
///   e_i    = W_e·patch_i + position_i                 i visible                      [n, V, width]
///   h      = norm(blocks(e))
///   d_i    = W_d·h_i + position_i   i visible,   mask + position_i   i hidden        [n, P, decoder.width]
///   out_i  = W_o·norm(decoder blocks(d))_i + b        i hidden                       [n, P - V, D]
///   loss   = 1/((P - V)·D) Σ_i |out_i - target_i|²    for each sample
/// </code>
/// Attention does not care for order, so patches stay in the order drawn (<see cref="MaskedPatches"/>) and nothing is sorted back. There
/// is no class token, which the paper has for what comes after pre-training. Initial weights as in the authors' code: Xavier's uniform
/// ones, biases 0, the mask's vector N(0, 0.02²).
/// </remarks>
internal sealed class Mae : Network
{
    private const double MaskDeviation = 0.02;

    private readonly Linear embed;      // W_e [width, D]
    private readonly ModuleList<PreNormBlock> blocks;
    private readonly LayerNorm norm;
    private readonly Linear decoder_embed; // W_d [decoder.width, width]
    private readonly Parameter mask;    // [decoder.width]
    private readonly ModuleList<PreNormBlock> decoder_blocks;
    private readonly LayerNorm decoder_norm;
    private readonly Linear head;       // W_o [D, decoder.width]
    private readonly PatchPositions _positions;
    private readonly PatchPositions _decoderPositions;
    private readonly int _patches;
    private readonly int _seen;
    private readonly int _values;

    /// <param name="inputShape">[P, 1 + D], as <see cref="MaskedPatches"/> gives it.</param>
    /// <exception cref="BadInputException">It is another shape.</exception>
    public Mae(ModelSpec.Mae spec, IReadOnlyList<long> inputShape) : base(nameof(Mae))
    {
        var across = inputShape is [var count, > 1] ? (int)Math.Sqrt(count) : 0;
        if (across == 0 || across * across != inputShape[0]) { throw new BadInputException($"model: mae needs samples of masked patches [patches, 1 + pixels]; a sample of this data set is [{string.Join(", ", inputShape)}]"); }

        (_patches, _values) = ((int)inputShape[0], (int)inputShape[1] - 1);
        _seen = spec.Seen(_patches);
        embed = Linear(_values, spec.Width);
        blocks = Blocks(spec.Layers, spec.Width, spec.Heads);
        norm = LayerNorm(spec.Width);
        decoder_embed = Linear(spec.Width, spec.Decoder.Width);
        mask = Parameter(zeros(spec.Decoder.Width));
        decoder_blocks = Blocks(spec.Decoder.Layers, spec.Decoder.Width, spec.Decoder.Heads);
        decoder_norm = LayerNorm(spec.Decoder.Width);
        head = Linear(spec.Decoder.Width, _values);
        (_positions, _decoderPositions) = (new PatchPositions(across, spec.Width), new PatchPositions(across, spec.Decoder.Width));
        RegisterComponents();
        Initialize();
    }

    /// <summary>Patches in the order drawn [n, P, 1 + D] to the pixels of the hidden ones [n, P - V, D].</summary>
    public override Tensor forward(Tensor input)
    {
        var hidden = _patches - _seen;
        var places = input.select(2, 0).to(ScalarType.Int64); // [n, P]
        var x = embed.forward(input.narrow(1, 0, _seen).narrow(2, 1, _values)).add_(_positions.Of(places.narrow(1, 0, _seen)), One); // [n, V, width]
        foreach (var block in blocks) { x = Forward(block, x); }
        x = decoder_embed.forward(norm.forward(x));
        x = cat([x, mask.expand(x.shape[0], hidden, -1)], 1).add_(_decoderPositions.Of(places), One); // [n, P, decoder.width]
        foreach (var block in decoder_blocks) { x = Forward(block, x); }
        return head.forward(decoder_norm.forward(x.narrow(1, _seen, hidden)));
    }

    /// <param name="logits">Predicted pixels, a row a patch [n · (P - V), D].</param>
    public override Tensor SummedLoss(Tensor logits, Batch batch)
    {
        var perSample = (_patches - _seen) * _values;
        return functional.mse_loss(logits, batch.Targets.flatten(0, -2), Reduction.Sum).mul(Number(1.0 / perSample));
    }

    /// <summary>Weighs each sample as one. Nothing is right or wrong, so how many are correct is no number.</summary>
    public override Tally Score(Tensor logits, Tensor loss, Batch batch) => new(batch.Samples, batch.Samples, loss.item<float>(), Correct: double.NaN, Leaves: 1);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _positions.Dispose();
            _decoderPositions.Dispose();
        }

        base.Dispose(disposing);
    }

    private static ModuleList<PreNormBlock> Blocks(int layers, int width, int heads) =>
        ModuleList(Enumerable.Range(0, layers).Select(_ => new PreNormBlock(width, heads, causal: false, dropout: 0)).ToArray());

    private void Initialize()
    {
        using var _ = no_grad();
        foreach (var (name, parameter) in named_parameters())
        {
            if (parameter.dim() > 1) { init.xavier_uniform_(parameter); }
            else if (name.EndsWith("bias", StringComparison.Ordinal)) { init.zeros_(parameter); }
        }

        init.normal_(mask, 0, MaskDeviation);
    }
}
