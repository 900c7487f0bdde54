using Cluster.Trainer.Core.State;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.Continual;

/// <summary>
/// The trunk's state while a release anneals: weights, moments and their t, aside in buffers of their own. Part of the method's
/// state, so a checkpoint within a branch has the trunk too.
/// </summary>
internal sealed class TrunkCopy : IDisposable
{
    /// <summary>Of the names of its buffers and its counter.</summary>
    public const string Prefix = "trunk.";

    private const string Updates = Prefix + GradientStep.Updates;

    private readonly IReadOnlyList<(string Name, FlatBuffer Buffer)> _live;
    private readonly (string Name, FlatBuffer Buffer)[] _aside;

    /// <param name="live">The method's own buffers, θ first.</param>
    public TrunkCopy(IReadOnlyList<(string Name, FlatBuffer Buffer)> live, Device device)
    {
        _live = live;
        _aside = [.. live.Select(buffer => (Prefix + buffer.Name, new FlatBuffer(buffer.Buffer.Length, device)))];
    }

    public IReadOnlyList<(string Name, FlatBuffer Buffer)> Buffers => _aside;

    /// <summary>Must be among the method's counters.</summary>
    public const string Counter = Updates;

    public void Take(IDictionary<string, long> counters)
    {
        for (var i = 0; i < _live.Count; i++) { _aside[i].Buffer.CopyFrom(_live[i].Buffer); }
        counters[Updates] = counters[GradientStep.Updates];
    }

    /// <param name="weights">Otherwise the live ones stay.</param>
    /// <param name="moments">And their t.</param>
    public void PutBack(IDictionary<string, long> counters, bool weights, bool moments)
    {
        if (weights) { _live[0].Buffer.CopyFrom(_aside[0].Buffer); }
        if (!moments) { return; }
        for (var i = 1; i < _live.Count; i++) { _live[i].Buffer.CopyFrom(_aside[i].Buffer); }
        counters[GradientStep.Updates] = counters[Updates];
    }

    public void Dispose()
    {
        foreach (var (_, buffer) in _aside) { buffer.Dispose(); }
    }
}
