using Cluster.Grains.Storage;
using Cluster.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Persistence;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Cluster.Grains.Hosting;

/// <summary>Where a silo's state and reminders lie, and how it finds other silos.</summary>
internal static class SiloState
{
    /// <summary>As the grains name it.</summary>
    public const string StorageName = "cluster";

    /// <summary>One silo with an embedded store, or with nothing but its memory.</summary>
    public static ISiloBuilder UseStore(this ISiloBuilder silo, ControlStore? store)
    {
        if (store is null)
        {
            return silo.UseInMemoryReminderService().AddMemoryGrainStorage(StorageName, (OptionsBuilder<MemoryGrainStorageOptions> o) =>
                o.Configure<Serializer>((options, serializer) => options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer)));
        }

        silo.AddReminders().Services
            .AddSingleton<IReminderTable>(new SqliteReminderTable(store))
            .AddKeyedSingleton<IGrainStorage>(StorageName, (services, _) => new SqliteGrainStorage(
                store, new OrleansGrainStorageSerializer(services.GetRequiredService<Serializer>()), services.GetRequiredService<IActivatorProvider>()));
        return silo;
    }

    /// <summary>Several silos, held together by Redis.</summary>
    public static ISiloBuilder UseRedis(this ISiloBuilder silo, RedisAddress redis)
    {
        const string orleansOwn = "redis";
        silo.Services.AddKeyedSingleton<IGrainStorage>(StorageName, (services, _) =>
            new RedisStateStorage(services.GetRequiredKeyedService<IGrainStorage>(orleansOwn), redis));
        return silo
            .UseRedisClustering(o => o.ConfigurationOptions = redis.Options())
            .UseRedisReminderService(o => o.ConfigurationOptions = redis.Options())
            .AddRedisGrainStorage(orleansOwn, (OptionsBuilder<RedisStorageOptions> o) => o.Configure<Serializer>((options, serializer) =>
            {
                options.ConfigurationOptions = redis.Options();
                options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
            }))
            .Configure<ClusterMembershipOptions>(NoticeTheDead);
    }

    /// <summary>
    /// A silo that is killed is noticed by its neighbours after three missed probes, a second apart, and voted out; Orleans'
    /// own 15 s are made for networks less reliable than a cluster's. One that comes back at the same address replaces its
    /// former self at once. When all are killed, the first that starts elsewhere waits until the others' signs of life are old.
    /// </summary>
    private static void NoticeTheDead(ClusterMembershipOptions options)
    {
        options.ProbeTimeout = TimeSpan.FromSeconds(1);
        options.NumMissedProbesLimit = 3;
        options.NumVotesForDeathDeclaration = 2; // Or the one that is left, of two.
        options.TableRefreshTimeout = TimeSpan.FromSeconds(5);
        options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(2);
        options.NumMissedTableIAmAliveLimit = 3;
    }
}
