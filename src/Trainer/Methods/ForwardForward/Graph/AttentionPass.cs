using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>A gat layer on fixed inputs; see <see cref="AttentionEncoder"/>. Keeps G and α between forward and backward.</summary>
internal sealed class AttentionPass(InputRows inputs, AttentionEdges[] graphs, int threads) : ILayerPass
{
    private Tensor? _g;        // G, [1 or S, N, h]
    private Tensor? _scores;   // a_source·G and a_target·G, [1 or S, 2, N, heads]
    private Tensor[] _alpha = [];
    private Tensor? _byG;      // ∂L/∂G of the last backward

    public Tensor Forward(LayerTensors layer)
    {
        Forget();
        var heads = (int)layer.Source!.shape[0];
        var g = inputs.Times(layer.Weight).contiguous();
        var split = g.view(g.shape[0], g.shape[1], heads, -1);                                                        // [.., N, heads, h/heads]
        var scores = stack([(split * layer.Source).sum(-1), (split * layer.Target!).sum(-1)], 1).contiguous();        // [.., 2, N, heads]
        var results = Enumerable.Range(0, Math.Max(graphs.Length, inputs.Graphs)).Select(s => EdgesOf(s).Forward(InputOf(g, s), InputOf(scores, s), heads, threads)).ToArray();

        _g = g.DetachFromDisposeScope();
        _scores = scores.DetachFromDisposeScope();
        _alpha = [.. results.Select(result => result.Alpha.DetachFromDisposeScope())];
        return stack([.. results.Select(result => result.Sums)]).Plus(layer.Bias);
    }

    public void Backward(LayerTensors layer, Tensor byZ, LayerTensors gradient)
    {
        var (g, scores) = (_g!, _scores!);
        var heads = (int)layer.Source!.shape[0];
        var byG = zeros_like(g);
        var byScores = zeros_like(scores);
        for (var s = 0; s < byZ.shape[0]; s++)
        {
            EdgesOf(s).Backward(InputOf(g, s), InputOf(scores, s), _alpha[s], byZ[s].contiguous(), InputOf(byG, s), InputOf(byScores, s), heads, threads);
        }

        var split = g.view(g.shape[0], g.shape[1], heads, -1);
        var (bySource, byTarget) = (byScores.select(1, 0).unsqueeze(-1), byScores.select(1, 1).unsqueeze(-1)); // [.., N, heads, 1]
        gradient.Source!.Add((bySource * split).sum([0L, 1L]));
        gradient.Target!.Add((byTarget * split).sum([0L, 1L]));
        byG = byG.Plus((bySource * layer.Source).Plus(byTarget * layer.Target!).flatten(2));
        inputs.AddTransposedTimes(byG, gradient.Weight);
        gradient.Bias.Add(byZ.sum([0L, 1L]));
        _byG?.Dispose();
        _byG = byG.DetachFromDisposeScope();
    }

    public Tensor InputGradient(LayerTensors layer, Tensor byZ) => _byG![0].mm(layer.Weight.t());

    public ILayerPass Keep() => this;

    public void Dispose()
    {
        Forget();
        _byG?.Dispose();
    }

    private AttentionEdges EdgesOf(int graph) => graphs[graphs.Length == 1 ? 0 : graph];

    private static Tensor InputOf(Tensor all, int graph) => all[all.shape[0] == 1 ? 0 : graph];

    private void Forget()
    {
        _g?.Dispose();
        _scores?.Dispose();
        foreach (var alpha in _alpha) { alpha.Dispose(); }
        _alpha = [];
    }
}
