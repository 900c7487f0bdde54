using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Physical;

/// <summary>
/// Where the tensors of a physical net lie. θ holds the linear maps, and as a statistic the signal: what the layer below has made of the
/// batch. A contribution holds, at the places of its samples, what was put into a box and what came out of it.
/// </summary>
internal sealed class PhysicalNet
{
    private readonly ModelSpec.Physical _model;
    private readonly ImmutableArray<(Segment Weight, Segment Bias)> _layers;
    private readonly Segment _signal;

    /// <param name="inputs">Of the first box.</param>
    /// <param name="batch">The largest batch.</param>
    public PhysicalNet(ModelSpec.Physical model, int inputs, int batch)
    {
        _model = model;
        Widths = [inputs, .. Enumerable.Repeat(model.Width, model.Layers - 1)];
        (string, ImmutableArray<long>, SegmentRole)[] maps =
        [
            .. Widths.SelectMany((width, l) => ((string, ImmutableArray<long>, SegmentRole)[])
            [
                ($"{Prefix(l)}weight", [model.Width, model.Skip ? 2 * width : width], SegmentRole.Parameter),
                ($"{Prefix(l)}bias", [model.Width], SegmentRole.Parameter),
            ]),
        ];
        Layout = new Layout([.. maps, ("signal", [2 * batch, model.Width], SegmentRole.Statistic)]);
        _layers = [.. Layout.Parameters.Chunk(2).Select(pair => (pair[0], pair[1]))];
        _signal = Layout.Statistics[0];
        ContributionLength = 2L * Polarities * batch * Widths.Max() + 1;
    }

    /// <summary>Positive and negative.</summary>
    public const int Polarities = 2;

    /// <summary>Inputs of each layer's box.</summary>
    public ImmutableArray<int> Widths { get; }

    public Layout Layout { get; }

    /// <summary>Inputs and outputs of the box for both polarities, then the number of vectors measured.</summary>
    public long ContributionLength { get; }

    public static string Prefix(int layer) => $"layers.{layer}.";

    public PhysicalLayer Layer(FlatBuffer buffer, int layer) => new(buffer.View(_layers[layer].Weight), buffer.View(_layers[layer].Bias));

    /// <summary>h of the next layer, [2 · largest batch, width]: positive samples, then as many negative ones.</summary>
    public Tensor Signal(FlatBuffer theta) => theta.View(_signal);

    /// <summary>What the linear map sees: [φ(h) | h], or φ(h).</summary>
    public Tensor Seen(Tensor h, Tensor measured) => _model.Skip ? cat([measured, h], 1) : measured;

    /// <summary>Box inputs (part 0) or outputs (part 1) of a contribution, [2 · samples, width].</summary>
    public static Tensor Part(FlatBuffer contribution, int part, int samples, int width) =>
        contribution.Tensor.narrow(0, (long)part * Polarities * samples * width, (long)Polarities * samples * width).view(Polarities * samples, width);

    /// <summary>Of a contribution: the last number.</summary>
    public ref float Measurements(FlatBuffer contribution) => ref contribution.Slice(ContributionLength - 1, 1)[0];

    /// <summary>Uniform in ±1/√inputs, as linear layers are, each layer from a seed of its own.</summary>
    public void Initialise(FlatBuffer theta, long seed)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        for (var l = 0; l < Widths.Length; l++)
        {
            using var generator = manual_seed((long)Seeds.Derive(seed, SeedPurpose.InitialWeights, l));
            var layer = Layer(theta, l);
            var bound = 1 / Math.Sqrt(layer.Weight.shape[1]);
            nn.init.uniform_(layer.Weight, -bound, bound);
            nn.init.uniform_(layer.Bias, -bound, bound);
        }
    }

    /// <summary>p of each layer, [width]: a random direction.</summary>
    public Tensor[] Directions(long seed)
    {
        var directions = new Tensor[Widths.Length];
        for (var l = 0; l < directions.Length; l++)
        {
            using var generator = manual_seed((long)Seeds.Derive(seed, SeedPurpose.GoodnessDirection, l));
            using var drawn = randn(_model.Width);
            using var length = drawn.norm();
            directions[l] = (drawn / length).DetachFromDisposeScope();
        }

        return directions;
    }
}
