using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>How a client turns gradient and rate into a step. All vectors are [P], float32 or float64, on one device.</summary>
internal abstract class LocalOptimizer
{
    /// <summary>A client begins: moments are zero.</summary>
    public virtual void Reset() { }

    /// <summary>w ← w - β·(a direction), in place. May write over <paramref name="g"/> where it is asked to decay weights.</summary>
    /// <param name="step">k, from 0.</param>
    public abstract void Step(Tensor w, Tensor g, double beta, long step);

    /// <param name="moment">Gives a vector of the length of the model; asked once for each moment.</param>
    public static LocalOptimizer Create(LocalOptimizerSpec spec, Func<Tensor> moment) => spec switch
    {
        LocalOptimizerSpec.Sgd { Momentum: 0, WeightDecay: var decay } => new Sgd(decay),
        LocalOptimizerSpec.Sgd sgd => new MomentumSgd(sgd, moment()),
        LocalOptimizerSpec.Adam adam => new Adam(adam, moment(), moment()),
        _ => throw new ArgumentException($"no local optimiser for {spec.GetType().Name}", nameof(spec)),
    };

    private sealed class Sgd(double decay) : LocalOptimizer
    {
        public override void Step(Tensor w, Tensor g, double beta, long step)
        {
            if (decay != 0) { w.mul_(Number(1 - (beta * decay))); } // w - β·(g + λ·w)
            w.add_(g, alpha: Number(-beta));
        }
    }

    private sealed class MomentumSgd(LocalOptimizerSpec.Sgd spec, Tensor b) : LocalOptimizer
    {
        public override void Reset() => b.zero_();

        public override void Step(Tensor w, Tensor g, double beta, long step)
        {
            b.mul_(Number(spec.Momentum)).add_(g, One); // b ← μ·b + g + λ·w
            if (spec.WeightDecay != 0) { b.add_(w, alpha: Number(spec.WeightDecay)); }
            w.add_(b, alpha: Number(-beta));
        }
    }

    /// <summary>Kingma and Ba 2015, algorithm 1.</summary>
    private sealed class Adam(LocalOptimizerSpec.Adam spec, Tensor m, Tensor v) : LocalOptimizer
    {
        public override void Reset()
        {
            m.zero_();
            v.zero_();
        }

        public override void Step(Tensor w, Tensor g, double beta, long step)
        {
            var (correction1, correction2) = (1 - Math.Pow(spec.Beta1, step + 1), 1 - Math.Pow(spec.Beta2, step + 1));
            m.mul_(Number(spec.Beta1)).add_(g, alpha: Number(1 - spec.Beta1));
            v.mul_(Number(spec.Beta2)).addcmul_(g, g, Number(1 - spec.Beta2));
            w.addcdiv_(m, v.div(Number(correction2)).sqrt_().add_(Number(spec.Epsilon), One), Number(-beta / correction1));
        }
    }
}
