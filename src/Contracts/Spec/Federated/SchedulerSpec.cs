namespace Cluster.Contracts.Spec.Federated;

/// <summary>
/// How the learning rates α (server) and β (clients) move, by <c>kind</c>. D(t) is the mean of the clients' changes in round t,
/// g(k) a client's gradient in local step k.
/// </summary>
public abstract record SchedulerSpec
{
    private SchedulerSpec() { }

    /// <summary>Both stay as they begin: FedAvg, and whatever the server makes of it.</summary>
    public sealed record Constant : SchedulerSpec;

    /// <summary>
    /// Hypergradient descent (FedHyper, Wang, Wang and Li 2024): a rate grows while successive updates point the same way, and
    /// shrinks when they oppose each other.
    /// </summary>
    public sealed record FedHyper : SchedulerSpec
    {
        public HyperVariant Variant { get; init; } = HyperVariant.GlobalAndClientLocal;

        public HyperMode Mode { get; init; } = HyperMode.Robust;

        /// <summary>γα of eq. 16: α stays between 1/γα and γα. Default 3.</summary>
        [AtLeast(1), AtMost(1_000_000)]
        [OnlyWith(nameof(Mode), HyperMode.Robust), OnlyWith(nameof(Variant), HyperVariant.Global, HyperVariant.GlobalAndClientLocal, HyperVariant.GlobalAndServerLocal)]
        public double GlobalGamma { get; init; } = 3;

        /// <summary>
        /// β stays in this window, which must hold localLr. Default 0.001 to 0.1, unless <see cref="LocalGamma"/> is given. What is too
        /// large a rate depends on the model and the data and not on where β begins, so a window with a safe top is what makes a
        /// badly chosen localLr harmless.
        /// </summary>
        [OnlyWith(nameof(Mode), HyperMode.Robust), OnlyWith(nameof(Variant), HyperVariant.ServerLocal, HyperVariant.ClientLocal, HyperVariant.GlobalAndClientLocal, HyperVariant.GlobalAndServerLocal)]
        public RangeSpec? LocalWindow { get; init; }

        /// <summary>γβ of eq. 18 relative to where β begins: β stays between localLr/γβ and localLr·γβ. Instead of <see cref="LocalWindow"/>.</summary>
        [AtLeast(1), AtMost(1_000_000)]
        [OnlyWith(nameof(Mode), HyperMode.Robust), OnlyWith(nameof(Variant), HyperVariant.ServerLocal, HyperVariant.ClientLocal, HyperVariant.GlobalAndClientLocal, HyperVariant.GlobalAndServerLocal)]
        public double? LocalGamma { get; init; }

        /// <summary>What the inner product is multiplied by before it is added to α. The paper's is 1; a large model or many local steps want less.</summary>
        [Above(0), AtMost(1_000_000)]
        [OnlyWith(nameof(Mode), HyperMode.Robust), OnlyWith(nameof(Variant), HyperVariant.Global, HyperVariant.GlobalAndClientLocal, HyperVariant.GlobalAndServerLocal)]
        public double GlobalHyperStep { get; init; } = 1;

        /// <summary>The same for β.</summary>
        [Above(0), AtMost(1_000_000)]
        [OnlyWith(nameof(Mode), HyperMode.Robust), OnlyWith(nameof(Variant), HyperVariant.ServerLocal, HyperVariant.ClientLocal, HyperVariant.GlobalAndClientLocal, HyperVariant.GlobalAndServerLocal)]
        public double LocalHyperStep { get; init; } = 1;

        [OnlyWith(nameof(Mode), HyperMode.Robust)]
        public HyperProduct Product { get; init; } = HyperProduct.Plain;

        /// <summary>K of the global term of eq. 20, (1/K)·⟨g(k), D(t-1)⟩.</summary>
        [OnlyWith(nameof(Mode), HyperMode.Robust), OnlyWith(nameof(Variant), HyperVariant.ClientLocal, HyperVariant.GlobalAndClientLocal)]
        public GlobalTerm GlobalTerm { get; init; } = GlobalTerm.LocalSteps;

        /// <summary>The window, or its default.</summary>
        internal (double Low, double High) Window => LocalWindow is { } window ? (window.Low, window.High) : (0.001, 0.1);

        /// <summary>Where β stays when it begins at <paramref name="localLr"/>.</summary>
        public (double Low, double High) LocalBounds(double localLr) => (Mode, LocalGamma) switch
        {
            (HyperMode.Paper, _) => (1 / PaperLocalGamma, PaperLocalGamma),
            (HyperMode.Released, _) => (0.001, 0.1),
            (_, { } gamma) => (localLr / gamma, localLr * gamma),
            _ => Window,
        };

        /// <summary>Where α stays.</summary>
        public (double Low, double High) GlobalBounds => Mode switch
        {
            HyperMode.Paper => (1.0 / 3, 3),
            HyperMode.Released => (0.2, 5),
            _ => (1 / GlobalGamma, GlobalGamma),
        };

        private const double PaperLocalGamma = 10;
    }

    /// <summary>α = max(1, Σ p·|δ|² / (2·(|D|² + ε))), δ being one client's change and p its weight (FedExP, Jhunjhunwala et al. 2023).</summary>
    public sealed record FedExp : SchedulerSpec
    {
        /// <summary>ε.</summary>
        [AtLeast(0), AtMost(1_000)]
        public double Epsilon { get; init; } = 1e-3;
    }

    /// <summary>Step decay: a rate is multiplied by <see cref="Factor"/> after every so many rounds.</summary>
    public sealed record Decay : SchedulerSpec
    {
        public DecayedRate Rate { get; init; } = DecayedRate.Local;

        [Above(0), AtMost(1)]
        public double Factor { get; init; } = 0.995;

        [AtLeast(1), AtMost(1_000_000_000)]
        public int EveryRounds { get; init; } = 1;
    }
}

/// <summary>Which rates FedHyper moves, in the paper's names.</summary>
public enum HyperVariant
{
    /// <summary>FedHyper-G: α, by ⟨D(t), D(t-1)⟩, in the same round and before the model moves.</summary>
    [Spelled("g")]
    Global,

    /// <summary>FedHyper-SL: β of all clients, by the same product, for the next round.</summary>
    [Spelled("sl")]
    ServerLocal,

    /// <summary>FedHyper-CL: every client's own β in every local step, by ⟨g(k), g(k-1)⟩ + (1/K)·⟨g(k), D(t-1)⟩; each round begins again with localLr.</summary>
    [Spelled("cl")]
    ClientLocal,

    /// <summary>The paper's full method.</summary>
    [Spelled("g+cl")]
    GlobalAndClientLocal,

    /// <summary>G and SL at once; both follow the same number.</summary>
    [Spelled("g+sl")]
    GlobalAndServerLocal,
}

public enum HyperMode
{
    /// <summary>The paper's rules with β in a window that is safe for the task, and settings for what the paper leaves open.</summary>
    Robust,

    /// <summary>The paper's rules to the letter: products as they are, γα = 3, and β literally between 1/10 and 10 (eq. 18), which few models bear.</summary>
    Paper,

    /// <summary>The rules of the paper's released code, which differ: multiplicative on β, other bounds.</summary>
    Released,
}

public enum HyperProduct
{
    /// <summary>The inner product itself: it grows with the model, the local steps and the rates.</summary>
    Plain,

    /// <summary>The cosine: direction alone counts. A hyper step of about 0.2 goes with it.</summary>
    Cosine,
}

public enum GlobalTerm
{
    /// <summary>K is the number of the client's local steps.</summary>
    LocalSteps,

    /// <summary>K is the number of clients in the round.</summary>
    Clients,

    /// <summary>Without the term: eq. 19.</summary>
    None,
}

public enum DecayedRate { Local, Global, Both }
