using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// What a layer multiplies with its weights: R rows of each of S graphs.
/// <code>
///   X_s = base + mix_s · basis        X_s [R, d]    base [R, d]    mix_s [R, k]    basis [k, d]
/// </code>
/// Graphs that say of the same nodes that they have other labels differ in few columns or in few edges, that is by a matrix of rank k.
/// So the large product is made once for all of them: X_s W = base W + mix_s (basis W).
/// </summary>
/// <param name="Base">[R, d], the same for all graphs, or [S, R, d] where they have nothing in common.</param>
/// <param name="Mix">[S, R, k]; null where base is all.</param>
/// <param name="Basis">[k, d].</param>
internal sealed record InputRows(Tensor Base, Tensor? Mix = null, Tensor? Basis = null) : IDisposable
{
    /// <summary>S.</summary>
    public int Graphs => (int)(Mix?.shape[0] ?? (Base.dim() == 3 ? Base.shape[0] : 1));

    /// <summary>R.</summary>
    public long Rows => Base.shape[^2];

    /// <summary>X_s of one graph, [R, d].</summary>
    public Tensor Of(int graph) => Mix is null ? (Base.dim() == 3 ? Base[graph] : Base) : Base.Plus(Mix[graph].mm(Basis!));

    /// <summary>X_s W of all graphs, [S, R, h].</summary>
    /// <param name="weight">W, [d, h].</param>
    public Tensor Times(Tensor weight)
    {
        if (Mix is null) { return Flat(Base).mm(weight).view(Graphs, Rows, weight.shape[1]); }
        return Base.mm(weight).Plus(Flat(Mix).mm(Basis!.mm(weight)).view(Graphs, Rows, weight.shape[1]));
    }

    /// <summary>gradient += Σ_s X_sᵀ Y_s.</summary>
    /// <param name="y">Y, [S, R, h].</param>
    /// <param name="gradient">[d, h].</param>
    public void AddTransposedTimes(Tensor y, Tensor gradient)
    {
        if (Mix is null)
        {
            gradient.addmm_(Flat(Base).t(), Flat(y));
            return;
        }

        gradient.addmm_(Base.t(), y.sum([0L]));
        gradient.addmm_(Basis!.t(), Flat(Mix).t().mm(Flat(y)));
    }

    public InputRows MoveToOuterDisposeScope()
    {
        Base.MoveToOuterDisposeScope();
        Mix?.MoveToOuterDisposeScope();
        Basis?.MoveToOuterDisposeScope();
        return this;
    }

    /// <summary>Takes the tensors out of the scope; they live until this is disposed.</summary>
    public InputRows Keep()
    {
        Base.DetachFromDisposeScope();
        Mix?.DetachFromDisposeScope();
        Basis?.DetachFromDisposeScope();
        return this;
    }

    public void Dispose()
    {
        Base.Dispose();
        Mix?.Dispose();
        Basis?.Dispose();
    }

    private static Tensor Flat(Tensor x) => x.dim() == 2 ? x : x.reshape(-1, x.shape[^1]);
}
