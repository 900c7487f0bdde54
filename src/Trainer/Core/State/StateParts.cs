using static TorchSharp.torch;

namespace Cluster.Trainer.Core.State;

/// <summary>Between a state and one that is a part of it: buffers of the same names, fewer tensors, in places of their own.</summary>
internal static class StateParts
{
    /// <summary>Copies all that both states have: the tensors, in every buffer that holds them, and the counters.</summary>
    public static void Copy(MethodState from, MethodState to)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var places = to.Layout.Segments.ToDictionary(segment => segment.Name);
        var shared = from.Layout.Segments.Where(segment => places.ContainsKey(segment.Name)).Select(segment => (From: segment, To: places[segment.Name])).ToArray();
        foreach (var ((_, source), (_, target)) in from.Buffers.Zip(to.Buffers))
        {
            // Moments end where the statistics begin.
            foreach (var (its, place) in shared.Where(pair => pair.From.End <= source.Length && pair.To.End <= target.Length))
            {
                target.Tensor.narrow(0, place.Offset, place.Length).copy_(source.Tensor.narrow(0, its.Offset, its.Length));
            }
        }

        foreach (var name in to.Counters.Keys.Where(from.Counters.ContainsKey).ToArray()) { to.Counters[name] = from.Counters[name]; }
    }
}
