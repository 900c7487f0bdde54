using System.Globalization;
using System.Text;
using Cluster.Trainer.Core.Native;

namespace Cluster.Trainer.Core.Collectives.Shared;

/// <summary>
/// Finds out, over the connections of a new mesh, whether all its ranks run on one host and can open each other's memory. All
/// come to the same answer.
/// </summary>
/// <remarks>
/// Memory is opened through <c>/proc</c>, which takes the same user and the same process namespace. Containers of one host
/// that have namespaces of their own use their connections.
/// </remarks>
internal static class Neighbours
{
    /// <param name="sockets">Connected.</param>
    /// <param name="links">By rank; null for this one.</param>
    /// <param name="fault">The fault that ended the mesh here, if one did.</param>
    /// <param name="fail">Records a fault of the mesh and returns the one that came first.</param>
    /// <returns>Null when the ranks share no memory.</returns>
    public static SharedTransport? Meet(
        MeshMembership membership, SocketTransport sockets, PeerLink?[] links, Func<MeshFault?> fault, Func<MeshFault, MeshFaultException> fail)
    {
        if (membership.Size == 1) { return null; }

        using var file = membership.SharesMemory && MemoryFile.IsSupported && Futex.IsSupported ? CreateFile() : null;
        MappedMemory? memory = null;
        var card = "";
        if (file is not null)
        {
            memory = new MappedMemory(file.Handle, Board.Bytes, FileAccess.ReadWrite);
            card = new Card(Host(), Environment.ProcessId, file.Share).Write();
        }

        var peers = new SharedPeer?[membership.Size];
        SharedTransport? shared = null;
        try
        {
            var cards = sockets.Gather(FrameKind.Meeting, 0, Encoding.UTF8.GetBytes(card)).Select(bytes => Card.Read(Encoding.UTF8.GetString(bytes))).ToArray();
            if (memory is null || cards.Contains(null)) { return null; } // On every rank alike.

            var opened = true;
            for (var rank = 0; rank < cards.Length && opened; rank++)
            {
                if (rank != membership.Rank) { opened = (peers[rank] = Open(rank, cards[rank]!)) is not null; }
            }

            // The answers also tell each rank that the others are done with its file.
            if (!sockets.Gather(FrameKind.Meeting, 0, [(byte)(opened ? 1 : 0)]).All(answer => answer is [1])) { return null; }

            var others = peers.OfType<SharedPeer>().ToArray();
            var hangUps = new HangUps(others.Select(peer => links[peer.Rank]!.Socket));
            return shared = new SharedTransport(membership, memory, peers, new PeerWait(membership, others, hangUps, fault, fail), fail);
        }
        finally
        {
            if (shared is null)
            {
                foreach (var peer in peers) { peer?.Dispose(); }
                memory?.Dispose();
            }
        }
    }

    private static MemoryFile? CreateFile()
    {
        try { return MemoryFile.Create(Board.Bytes); }
        catch (IOException) { return null; } // The system refuses it: the connections will do.
    }

    /// <summary>The peer's board, or null when it cannot be opened from here.</summary>
    private static SharedPeer? Open(int rank, Card card)
    {
        if (card.Host != Host()) { return null; }
        try
        {
            using var file = MemoryFile.Open(card.ProcessId, card.Board, FileAccess.Read);
            return new SharedPeer(rank, card.ProcessId, new MappedMemory(file, Board.Bytes, FileAccess.Read));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // Another user's process, for instance: the connections will do.
        }
    }

    /// <summary>The same for processes that see each other under <c>/proc</c>: this start of the kernel, and the process namespace.</summary>
    private static string Host() =>
        $"{File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()}/{new FileInfo("/proc/self/ns/pid").LinkTarget}";

    /// <summary>Where a rank's board is found.</summary>
    private sealed record Card(string Host, int ProcessId, MemoryShare Board)
    {
        public string Write() => string.Create(CultureInfo.InvariantCulture, $"{Host} {ProcessId} {Board.Descriptor} {Board.Name:N}");

        /// <summary>Null for a rank that shares nothing.</summary>
        public static Card? Read(string text) =>
            text.Split(' ') is [var host, var process, var descriptor, var name]
            && int.TryParse(process, CultureInfo.InvariantCulture, out var processId)
            && int.TryParse(descriptor, CultureInfo.InvariantCulture, out var number)
            && Guid.TryParseExact(name, "N", out var guid)
                ? new Card(host, processId, new MemoryShare(guid, number))
                : null;
    }
}
