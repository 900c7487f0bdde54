using Cluster.Grains.Storage;
using Cluster.Tests.Data;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Cluster.Tests.Storage;

/// <summary>An embedded store in a folder of its own, which can be closed and opened again.</summary>
public sealed class StoreFixture : IAsyncDisposable
{
    private static readonly ServiceProvider s_services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    private readonly TemporaryFolder _folder = new();

    internal StoreFixture() => Open();

    internal ControlStore Store { get; private set; } = null!;

    internal SqliteGrainStorage Storage { get; private set; } = null!;

    internal SqliteReminderTable Reminders { get; private set; } = null!;

    internal string Folder => Path.Combine(_folder.Path, "store");

    internal string File => Path.Combine(Folder, ControlStore.FileName);

    internal static GrainId Grain(string key) => GrainId.Create("job", key);

    internal void Open()
    {
        Store = ControlStore.Open(Folder);
        Storage = new(Store, new OrleansGrainStorageSerializer(s_services.GetRequiredService<Serializer>()), s_services.GetRequiredService<IActivatorProvider>());
        Reminders = new(Store);
    }

    internal async Task Reopen()
    {
        await Store.DisposeAsync();
        Open();
    }

    /// <summary>What an activation that has just read the grain's state holds.</summary>
    internal async Task<GrainState<Note>> Read(string key)
    {
        var state = new GrainState<Note>(new());
        await Storage.ReadStateAsync("note", Grain(key), state);
        return state;
    }

    internal async Task<string> Text(string key) => (await Read(key)).State!.Text;

    internal Task Write(string key, GrainState<Note> state, string text)
    {
        state.State = new Note { Text = text };
        return Storage.WriteStateAsync("note", Grain(key), state);
    }

    internal Task Clear(string key, GrainState<Note> state) => Storage.ClearStateAsync("note", Grain(key), state);

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        _folder.Dispose();
    }
}

[GenerateSerializer, Alias("cluster.tests.note")]
public sealed record Note
{
    [Id(0)] public string Text { get; init; } = "";
}
