using Cluster.Contracts;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Tests.Checkpoints;

public sealed class RetentionTests : IDisposable
{
    private readonly CheckpointFixture _fixture = new();

    private string Place(string name) => Path.Combine(_fixture.Folder, name);

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void The_newest_stay(int keep)
    {
        using var writer = _fixture.Open(keep);
        for (var round = 1; round <= 5; round++) { writer.Save(CheckpointFixture.State(round), round, round); }
        Assert.Equal(Enumerable.Range(6 - keep, keep).Select(r => $"round-00000000{r}"), _fixture.Names());
    }

    [Fact]
    public void A_damaged_one_does_not_count_as_kept()
    {
        _fixture.Save(1);
        _fixture.Save(2);
        File.AppendAllText(Path.Combine(_fixture.Save(3), JobLayout.Model), "x");
        var notices = Notices(round: 4, keep: 3);
        Assert.Empty(notices);
        Assert.Equal(["round-000000001", "round-000000002", "round-000000003", "round-000000004"], _fixture.Names());

        Notices(round: 5, keep: 2); // Behind two intact ones it goes like any other of this job.
        Assert.Equal(["round-000000004", "round-000000005"], _fixture.Names());
    }

    [Fact]
    public void The_one_just_written_stays_even_when_newer_ones_are_there()
    {
        foreach (var round in new[] { 100, 110, 120 }) { _fixture.Save(round); }
        Notices(round: 10, keep: 1);
        Assert.Equal(["round-000000010"], _fixture.Names());
    }

    [Fact]
    public void Nothing_foreign_is_deleted()
    {
        CheckpointFixture.Reseal(_fixture.Save(1), m => m with { Job = "mnist" });
        CheckpointFixture.Reseal(_fixture.Save(2), m => m with { SpecHash = "other" });
        File.WriteAllText(Path.Combine(_fixture.Save(3, keep: 9), "notes.txt"), "the best one so far");
        File.Delete(Path.Combine(_fixture.Save(4, keep: 9), JobLayout.Manifest));
        Directory.CreateDirectory(Place("round-000000005"));
        var elsewhere = Directory.CreateDirectory(Path.Combine(_fixture.JobDirectory, "elsewhere")).FullName;
        Directory.Move(_fixture.Save(6, keep: 9), Path.Combine(elsewhere, "kept"));
        Directory.CreateSymbolicLink(Place("round-000000006"), Path.Combine(elsewhere, "kept"));
        var linked = Path.Combine(_fixture.Save(7, keep: 9), JobLayout.Spec);
        File.Delete(linked);
        File.CreateSymbolicLink(linked, Path.Combine(elsewhere, "kept", JobLayout.Spec));
        Directory.CreateDirectory(Place("round-8"));
        File.WriteAllText(Place("round-000000009"), "a file");
        var before = _fixture.Names();

        using var writer = _fixture.Open(keep: 1);
        var notices = writer.Save(CheckpointFixture.State(10), 10, 640).Notices;

        Assert.Equal(before.Append("round-000000010").Order(StringComparer.Ordinal), _fixture.Names());
        Assert.Equal(4, Directory.GetFiles(Path.Combine(elsewhere, "kept")).Length);
        Assert.Equal(7, notices.Length); // Rounds 1 to 7, each with its reason.
        Assert.Contains(notices, n => n.StartsWith("round-000000001 is of job 'mnist'", StringComparison.Ordinal));
        Assert.Contains(notices, n => n == "round-000000004 is not deleted: manifest.json is missing.");
        Assert.Empty(writer.Save(CheckpointFixture.State(11), 11, 704).Notices); // Told once; and round 10 went.
    }

    [Fact]
    public void A_linked_checkpoints_folder_is_written_and_never_deleted_from()
    {
        var elsewhere = Directory.CreateDirectory(Path.Combine(_fixture.JobDirectory, "elsewhere")).FullName;
        Directory.CreateSymbolicLink(_fixture.Folder, elsewhere);
        Directory.CreateDirectory(Place(".round-000000001.partial-host-1"));
        _fixture.Save(1, keep: 1);
        var notices = Notices(round: 2, keep: 1);
        Assert.Contains("checkpoints is a link", Assert.Single(notices));
        Assert.Equal([".round-000000001.partial-host-1", "round-000000001", "round-000000002"], _fixture.Names());
    }

    [Fact]
    public void Half_written_folders_of_a_killed_process_are_swept_and_others_left()
    {
        var whole = _fixture.Save(1);
        Directory.CreateDirectory(Place(".round-000000002.partial-host-123"));
        File.WriteAllText(Place(".round-000000002.partial-host-123/model.safetensors"), "half");
        Directory.CreateDirectory(Place(".round-000000003.partial-host-123"));
        Directory.CreateDirectory(Place(".round-000000004.partial-host-123/deeper"));
        Directory.CreateSymbolicLink(Place(".round-000000005.partial-host-123"), whole);
        Directory.CreateDirectory(Place(".round-000000006.other"));
        CheckpointFixture.Reseal(_fixture.Save(7), m => m with { Job = "mnist" });
        Directory.Move(Place("round-000000007"), Place(".round-000000007.partial-host-9"));

        CheckpointWriter.Open(_fixture.JobDirectory, _fixture.Job, 3, null, TimeProvider.System, new Disk(), out var notices).Dispose();

        Assert.Equal(
            [".round-000000004.partial-host-123", ".round-000000005.partial-host-123", ".round-000000006.other", ".round-000000007.partial-host-9", "round-000000001"],
            _fixture.Names());
        Assert.Equal(3, notices.Length);
        Assert.All(notices, n => Assert.EndsWith("is not this job's and is left alone.", n));
        Assert.NotNull(_fixture.Find().Found);
    }

    private IReadOnlyList<string> Notices(int round, int keep)
    {
        using var writer = _fixture.Open(keep);
        return writer.Save(CheckpointFixture.State(round), round, round).Notices;
    }

    public void Dispose() => _fixture.Dispose();
}
