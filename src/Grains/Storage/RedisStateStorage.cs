using Cluster.ServiceDefaults;
using Orleans.Runtime;
using Orleans.Storage;

namespace Cluster.Grains.Storage;

/// <summary>
/// Orleans' storage in Redis, with its failures in words: its own are of types that callers do not know, and bring stack traces
/// with them.
/// </summary>
internal sealed class RedisStateStorage(IGrainStorage inner, RedisAddress redis) : IGrainStorage
{
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        InWords("read", stateName, grainId, () => inner.ReadStateAsync(stateName, grainId, grainState));

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        InWords("written", stateName, grainId, () => inner.WriteStateAsync(stateName, grainId, grainState));

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        InWords("cleared", stateName, grainId, () => inner.ClearStateAsync(stateName, grainId, grainState));

    private async Task InWords(string what, string stateName, GrainId grainId, Func<Task> operation)
    {
        try
        {
            await operation();
        }
        catch (Exception e) when (e is not OrleansException)
        {
            throw new OrleansException($"the state '{stateName}' of {grainId} could not be {what}: the Redis at {redis} does not answer, or refuses");
        }
    }
}
