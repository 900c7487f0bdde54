using Cluster.Trainer.Core.Native;

namespace Cluster.Trainer.Core.Collectives.Shared;

/// <summary>What this rank sees of a peer's memory: its board, and vectors as they are announced.</summary>
/// <remarks>Vectors stay mapped as long as the mesh, as a job makes its vectors once and uses them round after round.</remarks>
/// <param name="board">At least <see cref="Collectives.Shared.Board.Bytes"/>.</param>
internal sealed unsafe class SharedPeer(int rank, int processId, MappedMemory board) : IDisposable
{
    private readonly Dictionary<(Guid Name, FileAccess Access), MappedMemory> _vectors = [];

    public int Rank => rank;

    public Board Board { get; } = new(board.Start);

    /// <summary>A vector of the peer, while the collective lasts for which it is announced.</summary>
    /// <exception cref="IOException">The process is gone, or has left the collective.</exception>
    /// <exception cref="ArgumentException">The vector is shorter than <paramref name="length"/>.</exception>
    public float* Vector(MemoryShare share, long length, FileAccess access)
    {
        var bytes = length * sizeof(float);
        if (!_vectors.TryGetValue((share.Name, access), out var vector))
        {
            using var file = MemoryFile.Open(processId, share, access);
            vector = _vectors[(share.Name, access)] = new MappedMemory(file, bytes, access);
        }

        return vector.Bytes >= bytes
            ? (float*)vector.Start
            : throw new ArgumentException($"a vector of {vector.Bytes / sizeof(float)} elements, not {length}", nameof(share));
    }

    public void Dispose()
    {
        foreach (var vector in _vectors.Values) { vector.Dispose(); }
        _vectors.Clear();
        board.Dispose();
    }
}
