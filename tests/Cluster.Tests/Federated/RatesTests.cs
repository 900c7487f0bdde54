using Cluster.Contracts.Spec.Federated;
using Cluster.Trainer.Methods.FedHyper;

namespace Cluster.Tests.Federated;

/// <summary>The rules that move the learning rates, by themselves. The vectors check their numbers; here are their limits.</summary>
public sealed class RatesTests
{
    private static readonly RoundFacts s_first = new(0, Product: null, 1, 1);

    private static readonly RoundFacts s_aligned = new(1, Product: 0.25, 1, 1);

    [Theory]
    [InlineData(HyperVariant.Global, 1.25, 0.01)]
    [InlineData(HyperVariant.ServerLocal, 1, 0.1)]
    [InlineData(HyperVariant.ClientLocal, 1, 0.01)]
    [InlineData(HyperVariant.GlobalAndClientLocal, 1.25, 0.01)]
    [InlineData(HyperVariant.GlobalAndServerLocal, 1.25, 0.1)]
    public void Each_variant_moves_its_own_rates(HyperVariant variant, double alpha, double beta)
    {
        var scheduler = Scheduler(new SchedulerSpec.FedHyper { Variant = variant });
        var start = new RateState(1, 0.01);
        Assert.Equal(start, scheduler.Next(start, s_first));
        var next = scheduler.Next(start, s_aligned);
        Assert.Equal((alpha, beta), (next.Alpha, next.Beta)); // β would be 0.26; the window's top is 0.1.
        Assert.Equal(variant is HyperVariant.ClientLocal or HyperVariant.GlobalAndClientLocal, scheduler.Client(0.01, new ClientRound(4, 4, 5)).NeedsProducts);
    }

    [Fact]
    public void Alpha_stays_between_one_over_gamma_and_gamma()
    {
        var scheduler = Scheduler(new SchedulerSpec.FedHyper { Variant = HyperVariant.Global, GlobalGamma = 2 });
        Assert.Equal(2, scheduler.Next(new(1, 0.01), s_aligned with { Product = 9 }).Alpha);
        Assert.Equal(0.5, scheduler.Next(new(1, 0.01), s_aligned with { Product = -9 }).Alpha);
    }

    [Theory]
    [InlineData(GlobalTerm.LocalSteps, 0.01 + 0.004 + (0.02 / 4))]
    [InlineData(GlobalTerm.Clients, 0.01 + 0.004 + (0.02 / 5))]
    [InlineData(GlobalTerm.None, 0.01 + 0.004)]
    public void The_global_term_has_the_K_that_is_chosen(GlobalTerm term, double second)
    {
        var rates = Scheduler(new SchedulerSpec.FedHyper { Variant = HyperVariant.ClientLocal, GlobalTerm = term }).Client(0.01, new ClientRound(Steps: 4, StepsPerEpoch: 4, Clients: 5));
        Assert.Equal(0.01, rates.At(0, new StepProducts(9, 9)));
        Assert.Equal(second, rates.At(1, new StepProducts(0.004, 0.02)), 15);
    }

    [Fact]
    public void The_paper_to_the_letter_has_no_window_of_ours()
    {
        var scheduler = Scheduler(new SchedulerSpec.FedHyper { Mode = HyperMode.Paper, Variant = HyperVariant.GlobalAndServerLocal });
        var next = scheduler.Next(new(1, 0.01), s_aligned with { Product = -0.005 });
        Assert.Equal((0.995, 0.1), (next.Alpha, next.Beta)); // eq. 18 read literally: β is never below 1/10.
        Assert.Equal(0.3, scheduler.Next(new(1, 0.1), s_aligned with { Product = 0.2 }).Beta, 15);
    }

    [Fact]
    public void Step_decay_counts_rounds()
    {
        IRateScheduler Decay(DecayedRate rate) => Scheduler(new SchedulerSpec.Decay { Rate = rate, Factor = 0.5, EveryRounds = 3 });
        var (local, global) = (new RateState(1, 0.01), new RateState(1, 0.01));
        var (betas, alphas) = (new List<double>(), new List<double>());
        for (var t = 0; t < 7; t++)
        {
            betas.Add(local.Beta); // What the clients of round t begin with.
            local = Decay(DecayedRate.Local).Next(local, s_aligned with { Round = t });
            global = Decay(DecayedRate.Global).Next(global, s_aligned with { Round = t });
            alphas.Add(global.Alpha);
        }

        Assert.Equal([0.01, 0.01, 0.01, 0.005, 0.005, 0.005, 0.0025], betas);
        Assert.Equal([1, 1, 1, 0.5, 0.5, 0.5, 0.25], alphas);
        Assert.Equal((1, 0.01), (local.Alpha, global.Beta));
    }

    [Fact]
    public void FedExp_extrapolates_when_clients_disagree()
    {
        var scheduler = Scheduler(new SchedulerSpec.FedExp { Epsilon = 0 });
        Assert.Equal(5, scheduler.Next(new(1, 0.01), new RoundFacts(0, null, UpdateSquares: 0.1, ClientSquares: 1)).Alpha, 12);
        Assert.Equal(1, scheduler.Next(new(1, 0.01), new RoundFacts(0, null, UpdateSquares: 1, ClientSquares: 1)).Alpha);
    }

    private static IRateScheduler Scheduler(SchedulerSpec spec) => RateSchedulers.Create(new FederatedSpec
    {
        Partition = new PartitionSpec.Iid { Clients = 9 }, ClientsPerRound = 5, LocalLr = 0.01, LocalSteps = 4, Scheduler = spec,
    });
}
