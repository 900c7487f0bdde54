using System.Diagnostics;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;

namespace Cluster.Tests.Collectives;

/// <summary>Ranks that share memory and break the rules: the same faults as over connections, as promptly.</summary>
public class SharedFaultTests
{
    private const int Small = 20, Large = 300_000;

    public enum Call
    {
        Gather,
        Small,
        Large,
    }

    private static void Run(Mesh mesh, Call call, long round = 1)
    {
        if (call == Call.Gather) { mesh.Gather(round, [1]); }
        else { LocalMeshes.AllReduce(mesh, round, Reference.Leaves(mesh.Size, call == Call.Small ? Small : Large, 1), call == Call.Small ? Small : Large); }
    }

    private static MeshFault Fault(Action call) => Assert.Throws<MeshFaultException>(call).Fault;

    [Theory]
    [InlineData(Call.Gather), InlineData(Call.Small), InlineData(Call.Large)]
    public async Task Ranks_in_different_rounds_do_not_mix(Call call)
    {
        using var meshes = await LocalMeshes.Connect(2);
        var faults = await meshes.OnAll(mesh => Fault(() => Run(mesh, call, round: 1 + mesh.Rank)));
        Assert.Contains(faults, fault => fault.Kind == FaultKind.Corrupt && fault.Reason.Contains("of round", StringComparison.Ordinal));
        Assert.Equal([1, 0], faults.Select(fault => fault.Rank));
    }

    [Theory]
    [InlineData(Call.Gather, Call.Small), InlineData(Call.Small, Call.Large), InlineData(Call.Gather, Call.Large)]
    public async Task Ranks_in_different_collectives_do_not_mix(Call one, Call other)
    {
        using var meshes = await LocalMeshes.Connect(2);
        var faults = await meshes.OnAll(mesh => Fault(() => Run(mesh, mesh.Rank == 0 ? one : other)));
        Assert.Contains(faults, fault => fault.Kind == FaultKind.Corrupt && fault.Reason.Contains("of kind", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Small, Small + 1), InlineData(Large, Large + 1)]
    public async Task Vectors_of_different_lengths_are_not_added(int one, int other)
    {
        using var meshes = await LocalMeshes.Connect(2);
        var faults = await meshes.OnAll(mesh =>
        {
            var length = mesh.Rank == 0 ? one : other;
            return Fault(() => LocalMeshes.AllReduce(mesh, 1, Reference.Leaves(2, length, 1), length));
        });
        Assert.Contains(faults, fault => fault.Kind == FaultKind.Corrupt);
    }

    [Theory]
    [InlineData(Call.Gather), InlineData(Call.Small), InlineData(Call.Large)]
    public async Task A_rank_that_does_not_come_is_a_fault_at_the_deadline(Call call)
    {
        using var meshes = await LocalMeshes.Connect(2, deadline: LoneRank.Short);
        var start = Stopwatch.GetTimestamp();
        var fault = await Within.Start(() => Fault(() => Run(meshes[0], call))).WaitAsync(Within.Limit);
        Assert.Equal((FaultKind.Silent, 1), (fault.Kind, fault.Rank));
        Assert.InRange(Stopwatch.GetElapsedTime(start), 0.8 * LoneRank.Short, 10 * LoneRank.Short);

        // And whoever comes late hears that he was given up, once he needs what did not come.
        var late = Fault(() =>
        {
            Run(meshes[1], call);
            Run(meshes[1], call, round: 2);
        });
        Assert.Equal((FaultKind.Closed, 0), (late.Kind, late.Rank));
        Assert.Contains("having lost this rank", late.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Call.Gather), InlineData(Call.Small), InlineData(Call.Large)]
    public async Task An_abort_from_another_thread_ends_the_call_on_all(Call call)
    {
        using var meshes = await LocalMeshes.Connect(3);
        var running = new[] { 0, 1 }.Select(rank => Within.Start(() => Fault(() => Run(meshes[rank], call)))).ToArray();
        meshes[0].Abort("enough");
        var faults = await Task.WhenAll(running).WaitAsync(Within.Limit);
        Assert.Equal((FaultKind.Aborted, null, "enough"), (faults[0].Kind, faults[0].Rank, faults[0].Reason));
        Assert.Equal((FaultKind.Closed, 0), (faults[1].Kind, faults[1].Rank));
    }

    /// <summary>
    /// A rank that gives up may write its vectors at once, while others read them still. Whatever the moment, a rank whose call
    /// returns has the right sum.
    /// </summary>
    [Fact]
    public async Task Nobody_ends_with_numbers_that_changed_under_way()
    {
        const int ranks = 3;
        var random = new Random(1);
        var leaves = Reference.Leaves(ranks, Large, 7);
        var expected = Reference.Sum(leaves.AsSpan());
        var ended = 0;
        for (var attempt = 0; attempt < 60; attempt++)
        {
            using var meshes = await LocalMeshes.Connect(ranks);
            var spins = random.Next(200_000);
            await meshes.OnAll(mesh =>
            {
                using var vector = FlatBuffer.ForPeers(Large);
                using var sum = mesh.CreateSum(Large);
                leaves[mesh.Rank].CopyTo(vector.Span);
                var aborter = mesh.Rank != 1 ? null : new Thread(() =>
                {
                    Thread.SpinWait(spins);
                    mesh.Abort("at some moment");
                });
                aborter?.Start();
                try
                {
                    mesh.AllReduce(1, [new NodeSum(new Node(mesh.Rank, 1), vector, default(Tally))], new LeafRanges(ranks, ranks), sum);
                    Reference.SameBits(expected, sum.Span);
                    Interlocked.Increment(ref ended);
                }
                catch (MeshFaultException)
                {
                    Reference.SameBits(leaves[mesh.Rank], vector.Span);
                }

                vector.Span.Fill(float.NaN);
                aborter?.Join();
            });
        }

        Assert.InRange(ended, 1, ranks * 60 - 1); // The moments were spread over before, within and after.
    }
}
