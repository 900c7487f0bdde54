namespace Cluster.Contracts.Spec;

/// <summary>
/// Layer-local learning without a backward pass, by <c>kind</c>: each layer has a loss and an update of its own, and nothing is sent
/// down. A kind has its own models, data and keys.
/// </summary>
public abstract record ForwardForwardSpec
{
    private ForwardForwardSpec() { }

    /// <summary>Fully connected layers that tell real from negative data by their goodness (Hinton 2022, arXiv:2212.13345). With model.kind mlp, whose widths are the layers.</summary>
    public sealed record Dense : ForwardForwardSpec
    {
        public NegativeData Negatives { get; init; } = NegativeData.HardLabel;

        /// <summary>Where the label goes.</summary>
        [OnlyWith(nameof(Negatives), NegativeData.RandomLabel, NegativeData.HardLabel)]
        public LabelPlace Label { get; init; } = LabelPlace.Overwrite;

        /// <summary>The one of the one-hot label, about as large as the largest input. Pixels are 0 to 1.</summary>
        [Above(0), AtMost(1_000_000), OnlyWith(nameof(Negatives), NegativeData.RandomLabel, NegativeData.HardLabel)]
        public double LabelValue { get; init; } = 1;

        /// <summary>How often the random mask is blurred before it is cut at one half: more gives larger patches of each image.</summary>
        [AtLeast(0), AtMost(1_000), OnlyWith(nameof(Negatives), NegativeData.Hybrid)]
        public int BlurSteps { get; init; } = 6;

        public DensePrediction Prediction { get; init; } = DensePrediction.Goodness;

        /// <summary>The first layer's goodness counts in the prediction too. Left out, it does not, unless it is the only one.</summary>
        [OnlyWith(nameof(Prediction), DensePrediction.Goodness)]
        public bool FirstLayerVotes { get; init; }

        public GoodnessKind Goodness { get; init; } = GoodnessKind.Sum;

        public ContrastLoss Loss { get; init; } = ContrastLoss.ForwardForward;

        /// <summary>θ, the goodness at which positive and negative are equally likely. Left out it goes with the width: a mean square of 1.</summary>
        [Above(0), AtMost(1_000_000_000), OnlyWith(nameof(Loss), ContrastLoss.ForwardForward)]
        public double? Threshold { get; init; }

        /// <summary>α of the SymBa loss (Lee and Song 2023).</summary>
        [Above(0), AtMost(1_000_000), OnlyWith(nameof(Loss), ContrastLoss.Symba)]
        public double Alpha { get; init; } = 4;

        /// <summary>λ of peer normalisation: how strongly a unit's mean activity is drawn to that of its layer. 0 for none.</summary>
        [AtLeast(0), AtMost(1_000_000)]
        public double Peer { get; init; }

        /// <summary>What workers share out among themselves. Does not touch the weights.</summary>
        [OutsideAnswer]
        public ParallelKind Parallel { get; init; } = ParallelKind.Data;

        /// <summary>The softmax that reads the layers without teaching them. It is there when the prediction is onePass or negatives are hardLabel.</summary>
        public ReadOutSpec? ReadOut { get; init; }
    }

    /// <summary>Graph networks whose layers learn one after the other (ForwardGNN: Park et al., ICLR 2024, arXiv:2403.11004). With model.kind gcn, sage or gat.</summary>
    public sealed record Graph : ForwardForwardSpec
    {
        public GraphTask Task { get; init; } = GraphTask.Nodes;

        public GraphAlgorithm Algorithm { get; init; } = GraphAlgorithm.Sf;

        /// <summary>The layer's loss. Defaults to forwardForward for ffLa and ffVn, to crossEntropy for the links of sf and sfTopToInput; the others have their own.</summary>
        public GraphLoss? Loss { get; init; }

        /// <summary>θ of the forwardForward loss. Default 2.</summary>
        [Above(0), AtMost(1_000_000_000)]
        public double? Threshold { get; init; }

        /// <summary>α of the SymBa loss. Default 4.</summary>
        [Above(0), AtMost(1_000_000)]
        public double? Alpha { get; init; }

        /// <summary>τ: class scores are divided by it before the softmax.</summary>
        [Above(0), AtMost(1_000_000), OnlyWith(nameof(Algorithm), GraphAlgorithm.Sf, GraphAlgorithm.SfTopToInput, GraphAlgorithm.SfTopToLoss)]
        public double Temperature { get; init; } = 1;

        /// <summary>Updates between two validations.</summary>
        [AtLeast(1), AtMost(1_000_000)]
        public int ValidateEvery { get; init; } = 2;

        /// <summary>So many validations without a better one end the training of a layer; it goes back to its best weights.</summary>
        [AtLeast(1), AtMost(1_000_000)]
        public int Patience { get; init; } = 100;

        /// <summary>Which labels a prediction is given about other nodes.</summary>
        [OnlyWith(nameof(Algorithm), GraphAlgorithm.FfLa, GraphAlgorithm.FfVn)]
        public KnownLabels KnownLabels { get; init; } = KnownLabels.Training;

        /// <summary>Which of the other layers' states a layer sees in one time step.</summary>
        [OnlyWith(nameof(Algorithm), GraphAlgorithm.SfTopToInput, GraphAlgorithm.SfTopToLoss)]
        public LayerOrder Order { get; init; } = LayerOrder.Sequential;

        /// <summary>What goes up between layers in the first pass and in predictions.</summary>
        [OnlyWith(nameof(Algorithm), GraphAlgorithm.SfTopToLoss)]
        public UpwardPass UpwardPass { get; init; } = UpwardPass.Normalised;

        /// <summary>Time steps of a prediction.</summary>
        [AtLeast(1), AtMost(10_000), OnlyWith(nameof(Algorithm), GraphAlgorithm.SfTopToInput)]
        public int PredictionSteps { get; init; } = 10;

        /// <summary>The time step of a prediction, from 1, from which on scores count.</summary>
        [AtLeast(1), AtMost(10_000), OnlyWith(nameof(Algorithm), GraphAlgorithm.SfTopToInput)]
        public int PredictionFrom { get; init; } = 3;
    }

    /// <summary>Layers of a black box, which can only be measured, and a linear map behind it (physical local learning: Momeni et al. 2023, arXiv:2304.11042). With model.kind physical.</summary>
    public sealed record Physical : ForwardForwardSpec
    {
        /// <summary>θ: how steeply the loss falls with the difference of the two goodnesses.</summary>
        [Above(0), AtMost(1_000_000)]
        public double Slope { get; init; } = 4;

        /// <summary>Updates of a layer's linear map with one measurement of the batch.</summary>
        [AtLeast(1), AtMost(1_000_000)]
        public int InnerSteps { get; init; } = 10;

        /// <summary>The one of the one-hot label. Left out, the largest input of the training data.</summary>
        [Above(0), AtMost(1_000_000)]
        public double? LabelValue { get; init; }
    }
}

/// <summary>Softmax regression on the normalised activities of all layers but the first (of the one, where there is but one).</summary>
public sealed record ReadOutSpec
{
    /// <summary>Its learning rate as a multiple of the layers'.</summary>
    [AtLeast(0), AtMost(1_000_000)]
    public double RateFactor { get; init; } = 10;

    /// <summary>Its decay λ.</summary>
    [AtLeast(0), AtMost(1_000)]
    public double WeightDecay { get; init; } = 0.003;
}
