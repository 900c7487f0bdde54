using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Benchmarks;

/// <summary>LAMB as one would write it first with TorchSharp: a loop over tensors, about ten operations each.</summary>
internal sealed class NaiveLamb(Layout layout, FlatBuffer theta, FlatBuffer gradient, FlatBuffer m, FlatBuffer v) : IDisposable
{
    private const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-6, Decay = 0.01, LearningRate = 1e-3;

    private readonly (Tensor X, Tensor G, Tensor M, Tensor V, bool IsBias)[] _tensors =
    [
        .. layout.Parameters.Select(s => (View(theta, s), View(gradient, s), View(m, s), View(v, s), s.IsBiasOrNorm)),
    ];

    private static Tensor View(FlatBuffer buffer, Segment segment) => buffer.Tensor.narrow(0, segment.Offset, segment.Length);

    public void Step(long t)
    {
        using var _ = no_grad();
        var (correction1, correction2) = (1 - Math.Pow(Beta1, t), 1 - Math.Pow(Beta2, t));
        foreach (var (x, g, m_t, v_t, isBias) in _tensors)
        {
            using var scope = NewDisposeScope();
            m_t.mul_(Beta1).add_(g, alpha: 1 - Beta1);
            v_t.mul_(Beta2).addcmul_(g, g, value: 1 - Beta2);
            var u = m_t.div(correction1).div_(v_t.div(correction2).sqrt_().add_(Epsilon));
            var q = 1.0;
            if (!isBias)
            {
                u.add_(x, alpha: Decay);
                var (xNorm, uNorm) = (x.norm().item<float>(), u.norm().item<float>());
                q = xNorm > 0 && uNorm > 0 ? xNorm / uNorm : 1;
            }

            x.add_(u, alpha: -LearningRate * q);
        }
    }

    public void Dispose()
    {
        foreach (var (x, g, m_t, v_t, _) in _tensors)
        {
            x.Dispose();
            g.Dispose();
            m_t.Dispose();
            v_t.Dispose();
        }
    }
}
