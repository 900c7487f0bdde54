using System.Globalization;
using System.Net;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;

namespace Cluster.Tests.Collectives;

/// <summary>
/// One rank as a process of its own, which tests can kill and stop. This is what the test assembly does when it is run as a
/// program: <c>rank RANK RANKS SHARES DEADLINE_MS</c>.
/// </summary>
/// <remarks>
/// Prints its port, reads all ports, prints "connected". Then adds up, round after round, printing the number of each, until a
/// fault, which it prints: <c>fault KIND RANK intact|changed</c>, the last word being about its vectors.
/// </remarks>
internal static class RankProgram
{
    public static int Main(string[] args)
    {
        if (args is not ["rank", var rankText, var ranksText, var shares, var deadline])
        {
            Console.Error.WriteLine("these are tests: dotnet test");
            return 2;
        }

        var (rank, ranks) = (Number(rankText), Number(ranksText));
        using var listener = new DataPlaneListener();
        Console.WriteLine(listener.EndPoint.Port);
        var members = Console.ReadLine()!.Split(' ').Select(port => (EndPoint)new IPEndPoint(IPAddress.Loopback, Number(port)));
        using var mesh = new Mesh(
            new MeshMembership(LocalMeshes.Job, 1, rank, [.. members], LocalMeshes.Secret) { SharesMemory = bool.Parse(shares), Deadline = TimeSpan.FromMilliseconds(Number(deadline)) },
            listener);
        mesh.Connect();

        const int longest = 300_000, shifts = 1000;
        var random = new Random(ranks); // The same rounds on every rank.
        var floats = Reference.Floats(longest + shifts, seed: 1); // Leaves are pieces of them: a round takes little but its all-reduce.
        float[][] vectors = [];
        LeafRanges ranges = new(0, ranks);
        List<NodeSum> mine = [];
        Console.WriteLine(mesh.IsShared ? "connected shared" : "connected");
        try
        {
            for (var round = 1L; ; round++)
            {
                var (leafCount, length) = (random.Next(1, 3 * ranks), random.Next(2) == 0 ? random.Next(1, 1000) : random.Next(1, longest));
                var leaves = Enumerable.Range(0, leafCount).Select(_ => floats.AsSpan(random.Next(shifts), length).ToArray()).ToArray();
                ranges = new LeafRanges(leafCount, ranks);
                foreach (var node in mine) { node.Vector.Dispose(); }
                mine = [.. ranges.Nodes(rank).Select(node => new NodeSum(node, FlatBuffer.ForPeers(length), default(Tally)))];
                vectors = [.. mine.Select(node => Reference.Sum(leaves.AsSpan(node.Node.First, node.Node.Count)))];
                foreach (var (node, vector) in mine.Zip(vectors)) { vector.CopyTo(node.Vector.Span); }

                using var sum = mesh.CreateSum(length);
                mesh.AllReduce(round, mine, ranges, sum);
                Reference.SameBits(Reference.Sum(leaves.AsSpan()), sum.Span);
                Console.WriteLine(round);
            }
        }
        catch (MeshFaultException e)
        {
            var intact = mine.Zip(vectors).All(pair => pair.First.Vector.Span.SequenceEqual(pair.Second));
            Console.WriteLine($"fault {e.Fault.Kind} {e.Fault.Rank} {(intact ? "intact" : "changed")}");
            return 0;
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
