using System.Runtime.Versioning;
using Cluster.Contracts;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Tests.Checkpoints;

public sealed class WriterTests : IDisposable
{
    private readonly CheckpointFixture _fixture = new();

    [Fact]
    public void A_snapshot_holds_the_state_of_its_moment()
    {
        using var gate = new ManualResetEventSlim();
        using var writer = _fixture.Open(disk: new ScriptedDisk { Before = step => { if (step.StartsWith("create", StringComparison.Ordinal)) { gate.Wait(); } } });
        var state = CheckpointFixture.State(1);

        Assert.True(writer.TrySnapshot(state, 10, 640));
        CheckpointFixture.Fill(state, 2); // Training goes on while nothing has been written yet.
        gate.Set();
        writer.Dispose();

        var loaded = CheckpointFixture.EmptyState();
        _fixture.Find().Found!.Load(loaded);
        Assert.Equal(CheckpointFixture.Bits(CheckpointFixture.State(1)), CheckpointFixture.Bits(loaded));
        Assert.Equal(1, loaded.Counters["updates"]);
    }

    [Fact]
    public async Task A_periodic_snapshot_is_skipped_while_one_is_written_and_the_last_one_waits()
    {
        using var gate = new ManualResetEventSlim();
        using var writer = _fixture.Open(disk: new ScriptedDisk { Before = step => { if (step.StartsWith("create", StringComparison.Ordinal)) { gate.Wait(); } } });

        Assert.True(writer.TrySnapshot(CheckpointFixture.State(10), 10, 640));
        Assert.False(writer.TrySnapshot(CheckpointFixture.State(20), 20, 1280));
        var last = Task.Run(() => writer.Save(CheckpointFixture.State(30), 30, 1920));
        Assert.False(last.IsCompleted);
        gate.Set();

        Assert.Equal(30, (await last).Round);
        Assert.Equal(["round-000000010", "round-000000030"], _fixture.Names());
        Assert.True(writer.TryTakeResult(out var first) && first.Round == 10);
        Assert.True(writer.TryTakeResult(out var second) && second.Round == 30);
        Assert.False(writer.TryTakeResult(out _));
    }

    [Fact]
    public void Saving_the_round_just_saved_writes_nothing()
    {
        var disk = new ScriptedDisk();
        using var writer = _fixture.Open(disk: disk);
        var state = CheckpointFixture.State(10);
        Assert.True(writer.TrySnapshot(state, 10, 640));
        var saved = writer.Save(state, 10, 640);
        Assert.Single(disk.Log, step => step.StartsWith("move", StringComparison.Ordinal));
        Assert.Equal(saved, writer.Save(state, 10, 640));
    }

    [Fact]
    public void Saving_what_an_earlier_process_saved_leaves_it_as_it_is()
    {
        var path = _fixture.Save(10);
        var written = File.ReadAllBytes(Path.Combine(path, JobLayout.Manifest));
        _fixture.Save(10);
        Assert.Equal(written, File.ReadAllBytes(Path.Combine(path, JobLayout.Manifest)));
        Assert.Equal(["round-000000010"], _fixture.Names());
    }

    [Fact]
    public void A_damaged_checkpoint_of_the_same_round_makes_way_and_stays()
    {
        var path = _fixture.Save(10);
        File.WriteAllText(Path.Combine(path, JobLayout.Model), "damaged");
        using var writer = _fixture.Open();
        var notice = Assert.Single(writer.Save(CheckpointFixture.State(10), 10, 640).Notices);
        Assert.Contains("it is now round-000000010.replaced-1", notice);
        Assert.Equal(["round-000000010", "round-000000010.replaced-1"], _fixture.Names());
        Assert.NotNull(_fixture.Find(CheckpointFixture.EmptyState()).Found);
    }

    [Fact]
    public void Another_jobs_checkpoint_is_not_replaced()
    {
        var path = _fixture.Save(10);
        CheckpointFixture.Reseal(path, m => m with { Job = "mnist" });
        using var writer = _fixture.Open();
        var error = Assert.Throws<CheckpointFailedException>(() => writer.Save(CheckpointFixture.State(10), 10, 640));
        Assert.Contains("is a checkpoint of job 'mnist'", error.Message);
        Assert.Equal("mnist", Checkpoint.Open(path).Manifest.Job);
    }

    [Fact]
    public void A_last_checkpoint_that_fails_is_an_error_with_path_and_room()
    {
        using var writer = _fixture.Open(disk: new ScriptedDisk(failAt: 6, () => new IOException("No space left on device : '/x/model.safetensors'")));
        var error = Assert.Throws<CheckpointFailedException>(() => writer.Save(CheckpointFixture.State(10), 10, 640));
        Assert.Matches(@"^The checkpoint of round 10 was not saved: No space left on device : '/x/model\.safetensors' \(it needs [\d.]+ KiB, [\d.]+ [KMG]iB free there\)\.", error.Message);
        Assert.Empty(_fixture.Names());
    }

    [Fact]
    public void A_place_that_cannot_hold_checkpoints_is_bad_input_before_training_starts()
    {
        File.WriteAllText(_fixture.Folder, "a file in the way");
        Assert.Contains(_fixture.Folder, Assert.Throws<BadInputException>(() => _fixture.Open()).Message);
    }

    [SkippableFact, UnsupportedOSPlatform("windows")]
    public void A_folder_without_permission_is_bad_input()
    {
        Skip.If(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "root writes everywhere");
        File.SetUnixFileMode(_fixture.JobDirectory, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try { Assert.Throws<BadInputException>(() => _fixture.Open()); }
        finally { File.SetUnixFileMode(_fixture.JobDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute); }
    }

    [Fact]
    public void An_error_that_is_not_the_disks_ends_the_training()
    {
        using var writer = _fixture.Open(disk: new ScriptedDisk(failAt: 4, () => new InvalidOperationException("a bug")));
        Assert.True(writer.TrySnapshot(CheckpointFixture.State(10), 10, 640));
        Assert.Throws<InvalidOperationException>(() => writer.Save(CheckpointFixture.State(20), 20, 1280));
    }

    public void Dispose() => _fixture.Dispose();
}
