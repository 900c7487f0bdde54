using System.Text.Json;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Rounds;

/// <summary>
/// Brings every rank of a new generation to the newest committed round: the lowest rank that has it sends its buffers and
/// counters to those behind. A job that begins, resumes from rank 0's checkpoint, or goes on with a newcomer needs nothing else.
/// </summary>
internal static class StateTransfer
{
    public static void CatchUp(Mesh mesh, MethodState state, RoundCounters counters)
    {
        var rounds = mesh.Gather(0, BitConverter.GetBytes(counters.Round)).Select(bytes => BitConverter.ToInt64(bytes)).ToArray();
        var newest = rounds.Max();
        if (rounds.All(round => round == newest)) { return; }

        var source = Array.IndexOf(rounds, newest);
        var behind = Enumerable.Range(0, rounds.Length).Where(rank => rounds[rank] < newest).ToHashSet();

        var numbers = mesh.Gather(0, mesh.Rank == source ? JsonSerializer.SerializeToUtf8Bytes(state.Counters) : []);
        foreach (var (_, buffer) in state.Buffers) { mesh.Broadcast(0, source, behind, buffer); }

        if (behind.Contains(mesh.Rank))
        {
            state.Counters.Clear();
            foreach (var (name, value) in JsonSerializer.Deserialize<Dictionary<string, long>>(numbers[source])!) { state.Counters[name] = value; }
        }
    }
}
