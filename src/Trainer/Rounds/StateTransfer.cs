using System.Text.Json;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Rounds;

/// <summary>
/// Brings every rank of a new generation to the newest committed round: the lowest rank that has it sends its buffers and
/// counters to those behind. A job that begins, resumes from rank 0's checkpoint, loses a rank or gets another needs nothing else.
/// </summary>
internal static class StateTransfer
{
    /// <exception cref="MeshFaultException">A peer was lost, or its state is not the same as the source's although it has the same rounds.</exception>
    public static void CatchUp(Mesh mesh, MethodState state, RoundCounters counters)
    {
        var rounds = mesh.Gather(0, BitConverter.GetBytes(counters.Round)).Select(bytes => BitConverter.ToInt64(bytes)).ToArray();
        var newest = rounds.Max();
        var source = Array.IndexOf(rounds, newest);
        var behind = Enumerable.Range(0, rounds.Length).Where(rank => rounds[rank] < newest).ToHashSet();
        if (behind.Count > 0) { Transfer(mesh, state, source, behind); }
        Compare(mesh, state, source, newest);
    }

    private static void Transfer(Mesh mesh, MethodState state, int source, HashSet<int> behind)
    {
        var numbers = mesh.Gather(0, mesh.Rank == source ? JsonSerializer.SerializeToUtf8Bytes(state.Counters) : []);
        foreach (var (_, buffer) in state.Buffers) { mesh.Broadcast(0, source, behind, buffer); }

        if (!behind.Contains(mesh.Rank)) { return; }
        state.Counters.Clear();
        foreach (var (name, value) in JsonSerializer.Deserialize<Dictionary<string, long>>(numbers[source])!) { state.Counters[name] = value; }
    }

    /// <summary>Ranks that go on from different states would never notice it by themselves, and no rank may say which one is right.</summary>
    private static void Compare(Mesh mesh, MethodState state, int source, long round)
    {
        if (mesh.Size == 1) { return; }
        var hashes = mesh.Gather(0, BitConverter.GetBytes(StateHash.Of(state))).Select(bytes => BitConverter.ToUInt64(bytes)).ToArray();
        for (var rank = 0; rank < hashes.Length; rank++)
        {
            if (hashes[rank] != hashes[source])
            {
                throw new MeshFaultException(new MeshFault(
                    FaultKind.Differs, rank, $"its state after round {round} has the hash {hashes[rank]:x16}, that of rank {source} {hashes[source]:x16}: the same rounds gave them different numbers"));
            }
        }
    }
}
