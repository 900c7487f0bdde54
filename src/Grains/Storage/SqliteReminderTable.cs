using Microsoft.Data.Sqlite;
using Orleans.Runtime;

namespace Cluster.Grains.Storage;

/// <summary>Reminders in the embedded store: they drive unfinished jobs on after any restart.</summary>
internal sealed class SqliteReminderTable(ControlStore store) : IReminderTable
{
    private const string Columns = "SELECT grain, name, start_at, period, etag FROM reminder WHERE ";

    private readonly SqliteCommand _ofGrain = store.Statement(Columns + "grain = $grain", "$grain");

    private readonly SqliteCommand _one = store.Statement(Columns + "grain = $grain AND name = $name", "$grain", "$name");

    private readonly SqliteCommand _between = store.Statement(Columns + "hash > $begin AND hash <= $end", "$begin", "$end");

    /// <summary>A range that goes over the end of the ring of hashes, or all of it.</summary>
    private readonly SqliteCommand _around = store.Statement(Columns + "(hash > $begin OR hash <= $end)", "$begin", "$end");

    private readonly SqliteCommand _upsert = store.Statement(
        """
        INSERT INTO reminder (grain, name, hash, start_at, period, etag) VALUES ($grain, $name, $hash, $start, $period, $etag)
        ON CONFLICT DO UPDATE SET start_at = excluded.start_at, period = excluded.period, etag = excluded.etag
        """,
        "$grain", "$name", "$hash", "$start", "$period", "$etag");

    private readonly SqliteCommand _delete = store.Statement(
        "DELETE FROM reminder WHERE grain = $grain AND name = $name AND etag = $known", "$grain", "$name", "$known");

    private readonly SqliteCommand _deleteAll = store.Statement("DELETE FROM reminder");

    public async Task<ReminderTableData> ReadRows(GrainId grainId) => new(await Read(_ofGrain, grainId.ToString()));

    public async Task<ReminderTableData> ReadRows(uint begin, uint end) => new(await Read(begin < end ? _between : _around, (long)begin, (long)end));

    public async Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName) =>
        (await Read(_one, grainId.ToString(), reminderName)).FirstOrDefault();

    public async Task<string?> UpsertRow(ReminderEntry entry)
    {
        var etag = Etag.Draw();
        await store.Run(() => _upsert.Bind(entry.GrainId.ToString(), entry.ReminderName, (long)entry.GrainId.GetUniformHashCode(),
            entry.StartAt.ToUniversalTime().Ticks, entry.Period.Ticks, etag).ExecuteNonQuery());
        return entry.ETag = Etag.Text(etag);
    }

    public Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag) =>
        store.Run(() => _delete.Bind(grainId.ToString(), reminderName, Etag.Parse(eTag)).ExecuteNonQuery() == 1);

    public Task TestOnlyClearTable() => store.Run(_deleteAll.ExecuteNonQuery);

    private Task<List<ReminderEntry>> Read(SqliteCommand select, params object[] values) => store.Run(() =>
    {
        var entries = new List<ReminderEntry>();
        using var reader = select.Bind(values).ExecuteReader();
        while (reader.Read())
        {
            entries.Add(new ReminderEntry
            {
                GrainId = GrainId.Parse(reader.GetString(0)),
                ReminderName = reader.GetString(1),
                StartAt = new DateTime(reader.GetInt64(2), DateTimeKind.Utc),
                Period = TimeSpan.FromTicks(reader.GetInt64(3)),
                ETag = Etag.Text(reader.GetInt64(4)),
            });
        }

        return entries;
    });
}
