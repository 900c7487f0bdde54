using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>
/// What the server does with the mean change D. All vectors are [P], float32 or float64, on one device.
/// <code>
///   w   the global model       D   mean of the clients' changes, along the gradients       α   the global learning rate
/// </code>
/// </summary>
internal abstract class ServerOptimizer
{
    /// <summary>w(t+1) from w(t), in place. May write over <paramref name="d"/>.</summary>
    public void Step(Tensor w, Tensor d, double alpha)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Move(w, d, alpha);
    }

    protected abstract void Move(Tensor w, Tensor d, double alpha);

    /// <param name="moment">Gives the vector of zeros that is to hold the moment of this name; asked once for each.</param>
    public static ServerOptimizer Create(ServerSpec spec, Func<string, Tensor> moment) => spec switch
    {
        ServerSpec.FedAvg => new FedAvg(),
        ServerSpec.FedAvgM averageM => new FedAvgM(averageM, moment("momentum")),
        ServerSpec.FedAdam adam => new FedAdam(adam, moment("m"), moment("v")),
        ServerSpec.FedAdagrad adagrad => new FedAdagrad(adagrad, moment("v")),
        _ => throw new ArgumentException($"no server for {spec.GetType().Name}", nameof(spec)),
    };

    /// <summary>McMahan et al. 2017, with a global learning rate.</summary>
    private sealed class FedAvg : ServerOptimizer
    {
        protected override void Move(Tensor w, Tensor d, double alpha) =>
            w.add_(d, alpha: Number(-alpha)); // w ← w - α·D
    }

    /// <summary>Server momentum (Hsu, Qi and Brown 2019), the learning rate outside of it.</summary>
    private sealed class FedAvgM(ServerSpec.FedAvgM spec, Tensor u) : ServerOptimizer
    {
        protected override void Move(Tensor w, Tensor d, double alpha)
        {
            u.mul_(Number(spec.Momentum)).add_(d, One); // u ← μ·u + D
            w.add_(u, alpha: Number(-alpha));      // w ← w - α·u
        }
    }

    /// <summary>"Adaptive Federated Optimization", Reddi et al. 2021, algorithm 2, FedAdam: without bias correction. Δ = α·D.</summary>
    private sealed class FedAdam(ServerSpec.FedAdam spec, Tensor m, Tensor v) : ServerOptimizer
    {
        protected override void Move(Tensor w, Tensor d, double alpha)
        {
            d.mul_(Number(alpha));
            m.mul_(Number(spec.Beta1)).add_(d, alpha: Number(1 - spec.Beta1));         // m ← β1·m + (1-β1)·Δ
            v.mul_(Number(spec.Beta2)).addcmul_(d, d, Number(1 - spec.Beta2));         // v ← β2·v + (1-β2)·Δ²
            w.addcdiv_(m, v.sqrt().add_(Number(spec.Tau), One), Number(-spec.Lr));          // w ← w - η·m/(√v + τ)
        }
    }

    /// <summary>The same paper, FedAdagrad.</summary>
    private sealed class FedAdagrad(ServerSpec.FedAdagrad spec, Tensor v) : ServerOptimizer
    {
        protected override void Move(Tensor w, Tensor d, double alpha)
        {
            d.mul_(Number(alpha));
            v.addcmul_(d, d, One);                                       // v ← v + Δ²
            w.addcdiv_(d, v.sqrt().add_(Number(spec.Tau), One), Number(-spec.Lr));          // w ← w - η·Δ/(√v + τ)
        }
    }
}
