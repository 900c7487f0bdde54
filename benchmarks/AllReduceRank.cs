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
        using var listener = new DataPlaneListener();
        using var plain = new PlainStream(rank, count);
        Console.WriteLine($"{listener.EndPoint.Port} {plain.Port}");

        var ports = Console.ReadLine()!.Split(' ').Select(p => int.Parse(p, CultureInfo.InvariantCulture)).ToArray();
        plain.Connect([.. ports.Where((_, i) => i % 2 == 1)]);
        var members = ports.Where((_, i) => i % 2 == 0).Select(port => (EndPoint)new IPEndPoint(IPAddress.Loopback, port));
        var secret = new byte[MeshMembership.SecretBytes]; // Loopback, for the length of a benchmark.
        using var mesh = new Mesh(new MeshMembership("benchmark", 1, rank, [.. members], [.. secret]), listener);
        mesh.Connect();

        FlatBuffer? mine = null, sum = null;
        var round = 0L;
        while (Console.ReadLine() is { } line)
        {
            var words = line.Split(' ');
            var (bytes, inner, samples) = (Number(words[1]), Number(words[2]), Number(words[3]));
            if (mine is null || sum is null || mine.Length != bytes / sizeof(float))
            {
                mine?.Dispose();
                sum?.Dispose();
                mine = new FlatBuffer(bytes / sizeof(float));
                sum = new FlatBuffer(bytes / sizeof(float));
                mine.Span.Fill(rank + 1);
            }

            var ranges = new LeafRanges(count, count);
            NodeSum[] nodes = [new NodeSum(new Node(rank, 1), mine, default(Tally))];
            Action operation = words[0] == "stream"
                ? () => plain.Exchange(mine, 2 * bytes / count)
                : () => mesh.AllReduce(round, nodes, ranges, sum);
            operation(); // Warms up buffers and code.

            var times = new double[samples];
            for (var sample = 0; sample < samples; sample++)
            {
                mesh.Gather(++round, []); // A common start.
                var start = Stopwatch.GetTimestamp();
                for (var i = 0; i < inner; i++) { operation(); }
                times[sample] = Stopwatch.GetElapsedTime(start).TotalMilliseconds / inner;
            }

            if (words[0] != "stream" && sum.Span.IndexOfAnyExcept(count * (count + 1) / 2f) >= 0) { throw new InvalidOperationException("the sum is wrong"); }
            Console.WriteLine(string.Join(' ', times.Select(t => t.ToString("R", CultureInfo.InvariantCulture))));
        }

        mine?.Dispose();
        sum?.Dispose();
        return 0;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
