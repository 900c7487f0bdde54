using System.Collections.Immutable;
using Cluster.Contracts.Jobs;
using Orleans.Concurrency;

namespace Cluster.Grains.Jobs;

/// <summary>
/// The ids of all jobs. The newest are here; a full page of them moves to a grain of its own, so that adding one costs the
/// same however many there are.
/// </summary>
[Reentrant]
internal sealed class JobIndexGrain([PersistentState("job-index", "cluster")] IPersistentState<JobIndexState> store) : Grain, IJobIndexGrain
{
    public const int PageSize = 256;

    private SharedWrite<JobIndexState> _state = null!;
    private ImmutableArray<string> _lastFullPage = []; // A retry comes soon: it is looked for here and in the newest.
    private Task _turning = Task.CompletedTask;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _state = new(store, DeactivateOnIdle);
        _lastFullPage = store.State.FullPages > 0 ? await Page(store.State.FullPages - 1).Ids() : [];
    }

    public async Task Add(string jobId)
    {
        while (_state.State.Newest.Length == PageSize)
        {
            _turning = _turning.IsCompleted ? TurnPage() : _turning;
            await _turning;
        }

        if (!_state.State.Newest.Contains(jobId) && !_lastFullPage.Contains(jobId))
        {
            _state.Change(_state.State with { Newest = _state.State.Newest.Add(jobId) });
        }

        await _state.Written();
    }

    public async Task<JobIdPage> List(int skip, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 500);
        var s = _state.State;
        var total = (s.FullPages * PageSize) + s.Newest.Length;
        var ids = new List<string>();
        for (var position = total - 1 - skip; position >= 0 && ids.Count < count;)
        {
            var page = position / PageSize;
            var onPage = page == s.FullPages ? s.Newest : await Page(page).Ids();
            for (; position >= page * PageSize && ids.Count < count; position--)
            {
                ids.Add(onPage[(int)(position % PageSize)]);
            }
        }

        await _state.Written(); // What is seen may not be forgotten.
        return new([.. ids.Distinct()], total);
    }

    /// <summary>The page is written before it is dropped here: after a crash in between, it is written again.</summary>
    private async Task TurnPage()
    {
        var full = _state.State;
        await Page(full.FullPages).Put(full.Newest);
        _lastFullPage = full.Newest;
        _state.Change(new() { FullPages = full.FullPages + 1 });
    }

    private IJobIndexPageGrain Page(long index) => GrainFactory.GetGrain<IJobIndexPageGrain>(index);
}

/// <summary>A page of the index that is full and does not change any more, keyed by its number from 0.</summary>
[Alias("cluster.job-index-page")]
internal interface IJobIndexPageGrain : IGrainWithIntegerKey
{
    [Alias("put")]
    Task Put(ImmutableArray<string> ids);

    /// <summary>Oldest first.</summary>
    [Alias("ids")]
    Task<ImmutableArray<string>> Ids();
}

internal sealed class JobIndexPageGrain([PersistentState("job-index-page", "cluster")] IPersistentState<JobIndexPageState> store) : Grain, IJobIndexPageGrain
{
    public Task Put(ImmutableArray<string> ids)
    {
        store.State = new() { Ids = ids };
        return store.WriteStateAsync();
    }

    public Task<ImmutableArray<string>> Ids() => Task.FromResult(store.State.Ids);
}

[GenerateSerializer, Immutable, Alias("cluster.job-index-state")]
internal sealed record JobIndexState
{
    [Id(0)] public long FullPages { get; init; }

    /// <summary>Of the page that is being filled, oldest first.</summary>
    [Id(1)] public ImmutableArray<string> Newest { get; init; } = [];
}

[GenerateSerializer, Immutable, Alias("cluster.job-index-page-state")]
internal sealed record JobIndexPageState
{
    [Id(0)] public ImmutableArray<string> Ids { get; init; } = [];
}
