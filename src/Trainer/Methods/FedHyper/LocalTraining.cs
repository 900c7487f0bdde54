using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;
using Cluster.Trainer.Core.Optimizers;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>How a client's steps went.</summary>
/// <param name="Steps">Steps made: K, or fewer where a loss was not finite or the client was late.</param>
/// <param name="BetaMin">The smallest β used.</param>
/// <param name="BetaMean">The mean of the β used.</param>
/// <param name="BetaMax">The largest β used.</param>
internal readonly record struct LocalRun(long Steps, double BetaMin, double BetaMean, double BetaMax);

/// <summary>
/// A client's part of a round: K steps from the global model, on its own data.
/// <code>
///   here      shape  meaning
///   w         [P]    w_m(t,k): the global model before step 0, the client's after step K-1
///   global    [P]    w(t)
///   last      [P]    D(t-1): the mean change of the round before
///   g         [P]    g(k): gradient of the client's loss over batch k at w, and μ·(w - w(t)) with FedProx
///
///   for k = 0 .. K-1:   g(k) at w_m(t,k)
///                       β(k) by the scheduler, from ⟨g(k), g(k-1)⟩ and ⟨g(k), D(t-1)⟩
///                       w_m(t,k+1) = w_m(t,k) - β(k)·g(k), or what the client's optimiser makes of it
/// </code>
/// </summary>
/// <param name="proximal">μ.</param>
/// <param name="byCosine">Products are divided by the vectors' norms.</param>
internal sealed class LocalTraining(LocalOptimizer optimizer, double proximal, bool byCosine, int threads)
{
    private readonly LocalOptimizer _optimizer = optimizer;
    private readonly double _proximal = proximal;

    /// <param name="moment">Gives a vector [P] for a moment of the clients' optimiser.</param>
    public static LocalTraining Of(JobSpec spec, Func<Tensor> moment)
    {
        var federated = spec.Federated!;
        var byCosine = federated.Scheduler is SchedulerSpec.FedHyper { Product: HyperProduct.Cosine };
        return new(LocalOptimizer.Create(federated.LocalOptimizer, moment), federated.Proximal, byCosine, spec.Threads);
    }

    /// <param name="last">Null before the first round is applied.</param>
    /// <param name="gradient">
    /// Gives g(k) at w, in a vector that stays as it is until the step after the next one asks for its own; null ends the run, because the
    /// loss is not finite or the client is late.
    /// </param>
    public LocalRun Run(Tensor w, Tensor global, Tensor? last, long steps, IClientRates rates, Func<long, Tensor?> gradient)
    {
        var run = Begin(w, global, last, rates);
        for (var k = 0L; k < steps && gradient(k) is { } g; k++) { run.Step(g); }
        return run.SoFar;
    }

    /// <summary>The same, a step at a time. One run at a time: the optimiser's moments are those of its client.</summary>
    public Steps Begin(Tensor w, Tensor global, Tensor? last, IClientRates rates)
    {
        _optimizer.Reset();
        return new Steps(this, w, global, last, rates);
    }

    private double Product(Tensor g, Tensor? other)
    {
        if (other is null) { return 0; }
        var product = InnerProduct.Of(g, other, threads);
        if (!byCosine || product == 0) { return product; }
        return product / Math.Sqrt(InnerProduct.Of(g, g, threads) * InnerProduct.Of(other, other, threads));
    }

    /// <summary>One client on its way.</summary>
    internal sealed class Steps(LocalTraining training, Tensor w, Tensor global, Tensor? last, IClientRates rates)
    {
        private Tensor? _previous;
        private long _made;
        private double _min = double.PositiveInfinity, _sum, _max = double.NegativeInfinity;

        public LocalRun SoFar => new(_made, _min, _sum / _made, _max);

        /// <summary>From w_m(t,k) to w_m(t,k+1).</summary>
        /// <param name="g">g(k), in a vector that stays as it is until the step after the next one.</param>
        public void Step(Tensor g)
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            if (training._proximal != 0) { g.add_(w, alpha: Number(training._proximal)).add_(global, alpha: Number(-training._proximal)); }
            var products = rates.NeedsProducts ? new StepProducts(training.Product(g, _previous), training.Product(g, last)) : default;
            var beta = rates.At(_made, products);
            training._optimizer.Step(w, g, beta, _made);

            (_min, _sum, _max) = (Math.Min(_min, beta), _sum + beta, Math.Max(_max, beta));
            (_previous, _made) = (g, _made + 1);
        }
    }
}
