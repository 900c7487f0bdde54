using System.Diagnostics;
using System.Globalization;
using System.Net;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;

namespace Cluster.Benchmarks;

/// <summary>One rank of the all-reduce benchmark.</summary>
internal static class AllReduceRank
{
    public static int Run(int rank, int count)
    {
        using DataPlaneListener sharedDoor = new(), socketDoor = new();
        using var plain = new PlainStream(rank, count);
        Console.WriteLine($"{sharedDoor.EndPoint.Port} {socketDoor.EndPoint.Port} {plain.Port}");

        var ports = Console.ReadLine()!.Split(' ').Select(Number).Chunk(3).ToArray();
        plain.Connect([.. ports.Select(p => p[2])]);
        using var shared = Connect(rank, ports.Select(p => p[0]), sharedDoor, sharesMemory: true);
        using var sockets = Connect(rank, ports.Select(p => p[1]), socketDoor, sharesMemory: false);
        if (!shared.IsShared) { throw new InvalidOperationException("the ranks cannot share memory"); }

        FlatBuffer? mine = null, sharedSum = null, socketSum = null;
        var round = 0L;
        while (Console.ReadLine() is { } line)
        {
            var words = line.Split(' ');
            var (bytes, inner, samples) = (Number(words[1]), Number(words[2]), Number(words[3]));
            if (mine is null || sharedSum is null || socketSum is null || mine.Length != bytes / sizeof(float))
            {
                mine?.Dispose();
                sharedSum?.Dispose();
                socketSum?.Dispose();
                mine = FlatBuffer.ForPeers(bytes / sizeof(float));
                sharedSum = shared.CreateSum(bytes / sizeof(float));
                socketSum = sockets.CreateSum(bytes / sizeof(float));
                mine.Span.Fill(rank + 1);
            }

            var ranges = new LeafRanges(count, count);
            NodeSum[] nodes = [new NodeSum(new Node(rank, 1), mine, default(Tally))];
            Action operation = words[0] switch
            {
                "shared" => () => shared.AllReduce(round, nodes, ranges, sharedSum),
                "sockets" => () => sockets.AllReduce(round, nodes, ranges, socketSum),
                _ => () => plain.Exchange(mine, 2 * bytes / count),
            };
            operation(); // Warms up buffers and code.

            var times = new double[samples];
            for (var sample = 0; sample < samples; sample++)
            {
                shared.Gather(++round, []); // A common start.
                var start = Stopwatch.GetTimestamp();
                for (var i = 0; i < inner; i++) { operation(); }
                times[sample] = Stopwatch.GetElapsedTime(start).TotalMilliseconds / inner;
            }

            var sum = words[0] switch { "shared" => sharedSum, "sockets" => socketSum, _ => null };
            if (sum is not null && sum.Span.IndexOfAnyExcept(count * (count + 1) / 2f) >= 0) { throw new InvalidOperationException("the sum is wrong"); }
            Console.WriteLine(string.Join(' ', times.Select(t => t.ToString("R", CultureInfo.InvariantCulture))));
        }

        mine?.Dispose();
        sharedSum?.Dispose();
        socketSum?.Dispose();
        return 0;
    }

    private static Mesh Connect(int rank, IEnumerable<int> ports, DataPlaneListener door, bool sharesMemory)
    {
        var members = ports.Select(port => (EndPoint)new IPEndPoint(IPAddress.Loopback, port));
        var secret = new byte[MeshMembership.SecretBytes]; // Loopback, for the length of a benchmark.
        var mesh = new Mesh(new MeshMembership("benchmark", 1, rank, [.. members], [.. secret]) { SharesMemory = sharesMemory }, door);
        mesh.Connect();
        return mesh;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
