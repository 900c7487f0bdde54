using Cluster.Contracts;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Tests.Checkpoints;

/// <summary>Whatever change to the disk is the last one, the checkpoints that are there load, and as what they were.</summary>
public sealed class AtomicityTests
{
    /// <summary>Stands for the death of the process: nothing is cleaned up after it.</summary>
    private sealed class PowerCut : Exception;

    private sealed class DiskFull : IOException
    {
        public override string Message => "No space left on device";
    }

    /// <summary>Rounds 10 and 20 are there, then 30 is saved on this disk; keeping two, 10 is then deleted.</summary>
    private static CheckpointFixture Prepare(out string[] before)
    {
        var fixture = new CheckpointFixture();
        fixture.Save(10, keep: 2);
        fixture.Save(20, keep: 2);
        before = fixture.Names();
        return fixture;
    }

    private static int ChangesOfOneSave()
    {
        using var fixture = Prepare(out _);
        var disk = new ScriptedDisk();
        using (var writer = fixture.Open(keep: 2, disk)) { writer.Save(CheckpointFixture.State(30), 30, 1920); }
        Assert.Equal(["round-000000020", "round-000000030"], fixture.Names());
        return disk.Log.Count;
    }

    /// <summary>Every checkpoint in sight is whole and holds what was saved as that round; the newest is at least 20.</summary>
    private static long AssertAllWhole(CheckpointFixture fixture)
    {
        foreach (var place in CheckpointStore.List(fixture.JobDirectory))
        {
            var state = CheckpointFixture.EmptyState();
            CheckpointStore.Load(place.Path, state);
            Assert.Equal(CheckpointFixture.Bits(CheckpointFixture.State((int)place.Round)), CheckpointFixture.Bits(state));
        }

        var search = fixture.Find();
        Assert.Empty(search.Refusals);
        Assert.True(search.Found!.Manifest.Round >= 20);
        return search.Found.Manifest.Round;
    }

    [Fact]
    public void A_process_killed_at_any_change_leaves_only_whole_checkpoints_and_the_next_start_sweeps()
    {
        var changes = ChangesOfOneSave();
        Assert.True(changes > 40, $"{changes} changes are too few to be all of them");
        for (var failAt = 3; failAt <= changes; failAt++) // The first two are those of opening.
        {
            using var fixture = Prepare(out _);
            using (var writer = fixture.Open(keep: 2, new ScriptedDisk(failAt, () => new PowerCut())))
            {
                Assert.Throws<PowerCut>(() => writer.Save(CheckpointFixture.State(30), 30, 1920));
            }

            var newest = AssertAllWhole(fixture);
            fixture.Open(keep: 2).Dispose();
            Assert.Equal(newest, AssertAllWhole(fixture));
            Assert.DoesNotContain(fixture.Names(), name => name.StartsWith('.'));
        }
    }

    [Fact]
    public void A_disk_that_fails_at_any_change_costs_that_checkpoint_and_says_so()
    {
        var changes = ChangesOfOneSave();
        for (var failAt = 3; failAt <= changes; failAt++)
        {
            using var fixture = Prepare(out var before);
            var disk = new ScriptedDisk(failAt, () => new DiskFull());
            using var writer = fixture.Open(keep: 2, disk);
            Assert.True(writer.TrySnapshot(CheckpointFixture.State(30), 30, 1920));
            var result = TakeResult(writer);

            AssertAllWhole(fixture);
            var step = disk.Log[failAt - 1];
            var isPlaced = fixture.Names().Contains("round-000000030");
            if (!isPlaced)
            {
                Assert.Equal(before, fixture.Names());
                var reason = Assert.IsType<CheckpointResult.Failed>(result).Reason;
                Assert.Contains("The checkpoint of round 30 was not saved: No space left on device", reason);
                Assert.Contains("free there", reason);
            }
            else if (step.StartsWith("syncdir", StringComparison.Ordinal))
            {
                Assert.IsType<CheckpointResult.Failed>(result);
            }
            else // Only the deleting of round 10 failed: it is reported, and does not take the new one back.
            {
                Assert.Contains("is not deleted: No space left on device", Assert.Single(Assert.IsType<CheckpointResult.Saved>(result).Notices));
            }

            // The disk has room again.
            Assert.Equal(40, writer.Save(CheckpointFixture.State(40), 40, 2560).Round);
            Assert.Equal(40, AssertAllWhole(fixture));
        }
    }

    [Fact]
    public void Nothing_becomes_visible_before_it_is_synced()
    {
        using var fixture = new CheckpointFixture();
        var disk = new ScriptedDisk();
        using (var writer = fixture.Open(disk: disk)) { writer.Save(CheckpointFixture.State(1), 1, 64); }

        var move = disk.Log.FindIndex(step => step.StartsWith("move", StringComparison.Ordinal));
        foreach (var name in JobLayout.CheckpointFiles)
        {
            var lastWrite = disk.Log.FindLastIndex(step => step == $"write {name}");
            var sync = disk.Log.FindIndex(step => step == $"sync {name}");
            Assert.True(lastWrite >= 0 && lastWrite < sync && sync < move, $"{name}: write {lastWrite}, sync {sync}, move {move}");
        }

        Assert.StartsWith("syncdir .round-000000001.partial-", disk.Log[move - 1]);
        Assert.Equal("syncdir checkpoints", disk.Log[move + 1]);
    }

    [Fact]
    public async Task Readers_beside_a_writer_see_only_whole_checkpoints()
    {
        using var fixture = new CheckpointFixture();
        fixture.Save(1);
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            var newest = 0L;
            for (var looks = 0; looks < 20 || !stop.IsCancellationRequested; looks++)
            {
                var search = fixture.Find();
                Assert.DoesNotContain(search.Refusals, r => Directory.Exists(r.Path));
                Assert.NotNull(search.Found);
                Assert.True(search.Found.Manifest.Round >= newest, "a reader went back in time");
                newest = search.Found.Manifest.Round;
            }
        })).ToArray();

        using (var writer = fixture.Open(keep: 1))
        {
            var state = CheckpointFixture.State(1);
            for (var round = 2; round <= 60; round++) { writer.Save(state, round, round); }
        }

        await stop.CancelAsync();
        await Task.WhenAll(readers);
    }

    private static CheckpointResult TakeResult(CheckpointWriter writer)
    {
        CheckpointResult? result = null;
        Assert.True(SpinWait.SpinUntil(() => writer.TryTakeResult(out result), TimeSpan.FromSeconds(30)), "no result within 30 s");
        return result!;
    }
}
