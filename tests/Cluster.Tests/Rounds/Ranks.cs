using System.Collections.Immutable;
using System.Net;
using Cluster.Trainer.Core.Collectives;

namespace Cluster.Tests.Rounds;

/// <summary>One generation in this process: every rank with a mesh of its own, on a thread of its own, over loopback.</summary>
internal static class Ranks
{
    /// <summary>Reached only when something hangs.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>
    /// What <paramref name="work"/> gives on each rank, in order of rank. A rank that throws disposes its mesh, so that the others end too.
    /// </summary>
    /// <param name="sharesMemory">Otherwise all goes over the connections, as between hosts.</param>
    public static T[] Run<T>(int count, Func<Mesh, T> work, bool sharesMemory = true)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new DataPlaneListener()).ToArray();
        ImmutableArray<EndPoint> members = [.. listeners.Select(listener => listener.EndPoint)];
        var results = new T[count];
        var failures = new Exception?[count];
        var threads = Enumerable.Range(0, count).Select(rank => new Thread(() =>
        {
            try
            {
                using var mesh = new Mesh(new MeshMembership("job", 1, rank, members, [.. new byte[MeshMembership.SecretBytes]]) { SharesMemory = sharesMemory }, listeners[rank]);
                mesh.Connect();
                results[rank] = work(mesh);
            }
            catch (Exception failure)
            {
                failures[rank] = failure;
            }
        })
        { IsBackground = true }).ToArray();
        foreach (var thread in threads) { thread.Start(); }
        foreach (var thread in threads) { Assert.True(thread.Join(Limit), "a rank hangs"); }
        foreach (var listener in listeners) { listener.Dispose(); }
        // A rank that lost its peer says less than the peer that failed.
        return failures.OfType<Exception>().OrderBy(failure => failure is MeshFaultException).FirstOrDefault() is { } first
            ? throw new AggregateException(first)
            : results;
    }
}
