using System.Collections.Immutable;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Lineage;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Worker;

namespace Cluster.Tests.Checkpoints;

/// <summary>Checkpoints of a job whose spec was made longer by orders.</summary>
public sealed class EarlierSpecTests : IDisposable
{
    private readonly CheckpointFixture _before = new();

    public void Dispose() => _before.Dispose();

    /// <summary>The same job after an order, which changes nothing up to this round.</summary>
    private CheckpointFixture After(long agreesUntil) => new()
    {
        JobDirectory = _before.JobDirectory,
        Job = _before.Job with { SpecHash = "hash-of-the-longer-spec", Earlier = [new EarlierSpec(_before.Job.SpecHash, agreesUntil)] },
    };

    private static LineageNode Node(NodeKind kind) => new(kind, "plays", null, 6, 0, 600, IsStageEnd: false, Origin: null);

    [Fact]
    public void The_job_goes_on_from_them_as_far_as_both_specs_agree()
    {
        _before.Save(10);
        _before.Save(20);
        Assert.Equal(20, After(agreesUntil: 20).Find().Found!.Manifest.Round);

        var search = After(agreesUntil: 19).Find();
        Assert.Equal(10, search.Found!.Manifest.Round);
        Assert.Equal("it was made before a release was ordered that forks after round 19", Assert.Single(search.Refusals).Reason);
        Assert.Equal("round-000000020", Path.GetFileName(After(20).Find().Found!.Path));
    }

    [Fact]
    public void They_count_for_retention_and_are_deleted_like_any_other()
    {
        foreach (var round in (long[])[10, 20]) { _before.Save(round); }
        After(agreesUntil: 20).Save(30, keep: 2);
        Assert.Equal(["round-000000020", "round-000000030"], _before.Names());
    }

    [Fact]
    public void A_state_that_has_become_a_milestone_is_saved_once_more_in_its_place()
    {
        using (var writer = _before.Open())
        {
            writer.Save(CheckpointFixture.State(5), 5, 320, Node(NodeKind.Trunk));
            writer.Save(CheckpointFixture.State(10), 10, 640, Node(NodeKind.Trunk));
        }

        var scores = ImmutableSortedDictionary<string, SetScore>.Empty.Add("plays", new SetScore(2, 0.5, 10));
        using (var writer = After(agreesUntil: 10).Open()) { writer.Save(CheckpointFixture.State(10), 10, 640, Node(NodeKind.PreAnneal) with { Scores = scores }); }
        Assert.Equal(["round-000000005", "round-000000010"], _before.Names());
        var manifest = Checkpoint.Open(Path.Combine(_before.Folder, "round-000000010")).Manifest;
        Assert.Equal((NodeKind.PreAnneal, "round-000000005", "hash-of-the-longer-spec"), (manifest.Lineage!.Kind, manifest.Parent, manifest.SpecHash));

        // And no more than once.
        var written = manifest.WrittenUtc;
        using (var writer = After(agreesUntil: 10).Open()) { writer.Save(CheckpointFixture.State(10), 10, 640, Node(NodeKind.PreAnneal) with { Scores = scores }); }
        Assert.Equal(written, Checkpoint.Open(Path.Combine(_before.Folder, "round-000000010")).Manifest.WrittenUtc);
    }

    [Fact]
    public void What_a_job_had_no_need_of_then_begins_at_zero()
    {
        _before.Save(10);
        MethodState Wider(string? optional)
        {
            var state = CheckpointFixture.State(3);
            var aside = new FlatBuffer(CheckpointFixture.Layout.Length);
            aside.Span.Fill(1);
            return state with { Optional = optional, Buffers = [.. state.Buffers, ("trunk.theta", aside)], Counters = new SortedDictionary<string, long>(state.Counters) { ["trunk.updates"] = 9 } };
        }

        var state = Wider("trunk.");
        _before.Find(state).Found!.Load(state);
        Assert.Equal(0, state.Counters["trunk.updates"]);
        Assert.Equal(-1, state.Buffers[^1].Buffer.Span.IndexOfAnyExcept(0f));
        Assert.Equal(CheckpointFixture.Bits(CheckpointFixture.State(10)), CheckpointFixture.Bits(state with { Buffers = [.. state.Buffers.SkipLast(1)] }));
        Assert.Null(_before.Find(Wider(optional: null)).Found);

        // Once saved with it, it must be there.
        using (var writer = _before.Open()) { writer.Save(Wider("trunk."), 20, 1280); }
        var again = Wider("trunk.");
        _before.Find(again).Found!.Load(again);
        Assert.Equal((9L, 1f), (again.Counters["trunk.updates"], again.Buffers[^1].Buffer.Span[0]));
        Assert.Contains("trunk.theta", _before.Find(CheckpointFixture.EmptyState()).Refusals[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_several_orders_the_earliest_change_counts()
    {
        JobOrder Order(int number, string before, long agreesUntil) =>
            new(number, OrderKind.Append, "b", "", [], DateTime.UnixEpoch, OrderState.Taken, SpecHashBefore: before, AgreesUntil: agreesUntil);
        Assert.Equal<EarlierSpec>([new("first", 12), new("second", 12), new("third", 30)], OrderRecord.Earlier([Order(1, "first", 40), Order(2, "second", 12), Order(4, "third", 30)]));
    }
}
