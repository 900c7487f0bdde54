using Cluster.Contracts.Spec;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>The contrastive losses of graph layers with the constants of the spec.</summary>
internal static class Contrasts
{
    private const double DefaultThreshold = 2;
    private const double DefaultAlpha = 4;

    public static Contrast Of(ForwardForwardSpec.Graph spec, GraphLoss loss) => new(
        loss == GraphLoss.Symba ? ContrastLoss.Symba : ContrastLoss.ForwardForward, spec.Threshold ?? DefaultThreshold, spec.Alpha ?? DefaultAlpha);
}
