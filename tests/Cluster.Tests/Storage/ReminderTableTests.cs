using Orleans;
using Orleans.Runtime;

namespace Cluster.Tests.Storage;

public sealed class ReminderTableTests
{
    private static readonly DateTime s_start = new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task A_reminder_is_there_after_the_store_was_opened_again()
    {
        await using var store = new StoreFixture();
        var etag = await Remind(store, "a", "drive");
        await store.Reopen();
        var found = await store.Reminders.ReadRow(StoreFixture.Grain("a"), "drive");
        Assert.Equal((StoreFixture.Grain("a"), "drive", s_start, TimeSpan.FromMinutes(1), etag), (found!.GrainId, found.ReminderName, found.StartAt, found.Period, found.ETag));
        Assert.Equal(DateTimeKind.Utc, found.StartAt.Kind);
        Assert.Null(await store.Reminders.ReadRow(StoreFixture.Grain("a"), "other"));
    }

    [Fact]
    public async Task Each_silo_reads_its_part_of_the_ring_and_the_parts_are_the_whole()
    {
        await using var store = new StoreFixture();
        var grains = Enumerable.Range(0, 200).Select(i => $"g{i}").ToArray();
        foreach (var grain in grains) { await Remind(store, grain, "drive"); }

        uint[] bounds = [0x20000000, 0x70000000, 0xf0000000];
        var parts = new List<GrainId>();
        for (var i = 0; i < bounds.Length; i++)
        {
            var (begin, end) = (bounds[i], bounds[(i + 1) % bounds.Length]); // The last goes over the end of the ring.
            var rows = (await store.Reminders.ReadRows(begin, end)).Reminders;
            Assert.All(rows, row => Assert.True(IsIn(row.GrainId.GetUniformHashCode(), begin, end)));
            parts.AddRange(rows.Select(row => row.GrainId));
        }

        Assert.Equal(grains.Select(StoreFixture.Grain).OrderBy(g => g.ToString()), parts.OrderBy(g => g.ToString()));
        Assert.Equal(grains.Length, (await store.Reminders.ReadRows(0, 0)).Reminders.Count); // One silo: the whole ring.

        static bool IsIn(uint hash, uint begin, uint end) => begin < end ? hash > begin && hash <= end : hash > begin || hash <= end;
    }

    [Fact]
    public async Task A_reminder_set_again_replaces_the_first_and_only_the_newest_can_be_removed()
    {
        await using var store = new StoreFixture();
        var old = await Remind(store, "a", "drive");
        var etag = await Remind(store, "a", "drive", period: TimeSpan.FromMinutes(5));
        await Remind(store, "a", "other");
        Assert.Equal(2, (await store.Reminders.ReadRows(StoreFixture.Grain("a"))).Reminders.Count);
        Assert.Equal(TimeSpan.FromMinutes(5), (await store.Reminders.ReadRow(StoreFixture.Grain("a"), "drive"))!.Period);

        Assert.False(await store.Reminders.RemoveRow(StoreFixture.Grain("a"), "drive", old!));
        Assert.True(await store.Reminders.RemoveRow(StoreFixture.Grain("a"), "drive", etag!));
        Assert.False(await store.Reminders.RemoveRow(StoreFixture.Grain("a"), "drive", etag!));
        Assert.Equal("other", Assert.Single((await store.Reminders.ReadRows(StoreFixture.Grain("a"))).Reminders).ReminderName);
    }

    private static Task<string?> Remind(StoreFixture store, string grain, string name, TimeSpan? period = null) => store.Reminders.UpsertRow(new ReminderEntry
    {
        GrainId = StoreFixture.Grain(grain),
        ReminderName = name,
        StartAt = s_start,
        Period = period ?? TimeSpan.FromMinutes(1),
    });
}
