using Microsoft.Data.Sqlite;
using Orleans.Runtime;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Cluster.Grains.Storage;

/// <summary>
/// Grain state in the embedded store. A write names the etag that it read; where the row has another by then, it is refused
/// with <see cref="InconsistentStateException"/> and changes nothing.
/// </summary>
internal sealed class SqliteGrainStorage(ControlStore store, IGrainStorageSerializer serializer, IActivatorProvider activators) : IGrainStorage
{
    private readonly SqliteCommand _select = store.Statement("SELECT etag, payload FROM grain_state WHERE grain = $grain AND name = $name", "$grain", "$name");

    private readonly SqliteCommand _selectEtag = store.Statement("SELECT etag FROM grain_state WHERE grain = $grain AND name = $name", "$grain", "$name");

    private readonly SqliteCommand _insert = store.Statement(
        "INSERT INTO grain_state (grain, name, etag, payload) VALUES ($grain, $name, $etag, $payload) ON CONFLICT DO NOTHING",
        "$grain", "$name", "$etag", "$payload");

    private readonly SqliteCommand _update = store.Statement(
        "UPDATE grain_state SET etag = $etag, payload = $payload WHERE grain = $grain AND name = $name AND etag = $known",
        "$grain", "$name", "$etag", "$payload", "$known");

    private readonly SqliteCommand _delete = store.Statement(
        "DELETE FROM grain_state WHERE grain = $grain AND name = $name AND etag = $known", "$grain", "$name", "$known");

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var grain = grainId.ToString();
        var row = await store.Run(() => Find(grain, stateName));
        grainState.RecordExists = row is not null;
        grainState.ETag = row is null ? null : Etag.Text(row.Etag);
        grainState.State = row is null ? activators.GetActivator<T>().Create() : Deserialize<T>(row, stateName, grain);
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var (grain, known, written) = (grainId.ToString(), grainState.ETag, Etag.Draw());
        var payload = serializer.Serialize(grainState.State).ToArray();
        var isWritten = await store.Run(() => (known is null
            ? _insert.Bind(grain, stateName, written, payload)
            : _update.Bind(grain, stateName, written, payload, Etag.Parse(known))).ExecuteNonQuery() == 1);
        if (!isWritten) { throw await Refusal(stateName, grain, known); }
        grainState.ETag = Etag.Text(written);
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var (grain, known) = (grainId.ToString(), grainState.ETag);
        var isCleared = await store.Run(() => known is null
            ? _selectEtag.Bind(grain, stateName).ExecuteScalar() is null // Nothing was read: nothing may be there.
            : _delete.Bind(grain, stateName, Etag.Parse(known)).ExecuteNonQuery() == 1);
        if (!isCleared) { throw await Refusal(stateName, grain, known); }
        grainState.ETag = null;
        grainState.RecordExists = false;
        grainState.State = activators.GetActivator<T>().Create();
    }

    private Row? Find(string grain, string name)
    {
        using var reader = _select.Bind(grain, name).ExecuteReader();
        return reader.Read() ? new(reader.GetInt64(0), reader.GetFieldValue<byte[]>(1)) : null;
    }

    private T Deserialize<T>(Row row, string name, string grain)
    {
        try
        {
            return serializer.Deserialize<T>(new BinaryData(row.Payload))!;
        }
        catch (Exception e)
        {
            throw new OrleansException($"the state '{name}' of {grain} is in the store, but cannot be read: {e.Message}");
        }
    }

    private async Task<InconsistentStateException> Refusal(string name, string grain, string? known)
    {
        var stored = await store.Run(() => _selectEtag.Bind(grain, name).ExecuteScalar()) is long etag ? Etag.Text(etag) : "none";
        return new InconsistentStateException($"the state '{name}' of {grain} was changed by another activation", stored, known ?? "none");
    }

    private sealed record Row(long Etag, byte[] Payload);
}
