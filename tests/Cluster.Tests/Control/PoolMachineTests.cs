using Cluster.Contracts.Jobs;
using Cluster.Grains.Pool;

namespace Cluster.Tests.Control;

public sealed class PoolMachineTests
{
    private Pool _pool = Pool.Empty;
    private string _reason = "";

    [Fact]
    public void A_job_gets_its_minimum_all_at_once_in_the_order_in_which_workers_came()
    {
        Offer("z").Enqueue("job", 2, 2);
        Assert.Equal("waits for 2 idle workers: 1 of 1 are idle", PoolMachine.Describe(_pool, "job"));
        Assert.Empty(_pool.State.Placed);

        Offer("a");
        Assert.Equal("worker a is here; job job gets z, a", _reason);
        Offer("b");
        Assert.Equal(["z", "a"], WorkersOf("job"));
        Assert.Equal(("job", null), (PoolMachine.PlaceOf(_pool, "a").JobId, PoolMachine.PlaceOf(_pool, "b").JobId));
        Assert.Equal("has 2 workers", PoolMachine.Describe(_pool, "job"));
    }

    [Fact]
    public void A_small_job_does_not_overtake_a_large_one()
    {
        Offer("w0", "w1", "w2").Enqueue("large", 4, 4).Enqueue("small", 1, 1);
        Assert.Empty(_pool.State.Placed);
        Assert.Equal("waits for 1 idle worker, after 1 other job: 3 of 3 are idle", PoolMachine.Describe(_pool, "small"));
    }

    [Fact]
    public void A_job_grows_to_its_maximum_while_nobody_waits()
    {
        Offer("w0", "w1", "w2").Enqueue("first", 1, 2);
        Assert.Equal(["w0", "w1"], WorkersOf("first"));
        Enqueue("second", 2, 3).Offer("w3");
        Assert.Equal(["w2", "w3"], WorkersOf("second"));
        Offer("w4", "w5");
        Assert.Equal(["w2", "w3", "w4"], WorkersOf("second"));
        Assert.Equal(1, _pool.Roster.IdleCount);
    }

    [Fact]
    public void Nobody_grows_while_another_waits()
    {
        Enqueue("first", 1, 9).Enqueue("second", 3, 3).Offer("w0", "w1", "w2");
        Assert.Equal(["w0"], WorkersOf("first"));
        Assert.Equal(2, _pool.Roster.IdleCount);
    }

    [Fact]
    public void A_job_that_lost_a_worker_is_filled_up_before_anybody_else_gets_one()
    {
        Offer("w0", "w1").Enqueue("first", 2, 2).Enqueue("second", 1, 1).Gone("w1").Offer("w2");
        Assert.Equal(["w0", "w2"], WorkersOf("first"));
        Assert.Equal("second", Assert.Single(_pool.State.Queue).JobId);
    }

    [Fact]
    public void A_worker_that_a_job_cannot_use_is_free_for_others_and_comes_back_as_another_process()
    {
        Offer("w0", "w1", "w2").Enqueue("first", 2, 2).Then(PoolMachine.Exclude(_pool, "first", Some.Worker("w1")));
        Assert.Equal("job first cannot use worker w1; job first gets w2", _reason);
        Assert.Equal(["w0", "w2"], WorkersOf("first"));
        Assert.Same(_pool, Then(PoolMachine.Exclude(_pool, "first", Some.Worker("w1")))._pool);

        Gone("w2");
        Assert.Equal(["w0"], WorkersOf("first"));
        Enqueue("second", 1, 1);
        Assert.Equal(["w1"], WorkersOf("second"));

        Then(PoolMachine.Release(_pool, "second")).Then(PoolMachine.Offer(_pool, Some.Worker("w1", process: 7)));
        Assert.Equal(["w0", "w1"], WorkersOf("first"));
    }

    [Fact]
    public void A_job_that_waits_says_whom_it_cannot_use()
    {
        Offer("w0", "w1").Enqueue("job", 3, 3).Then(PoolMachine.Exclude(_pool, "job", Some.Worker("w0"))).Offer("w2");
        Assert.Equal("waits for 3 idle workers: 3 of 3 are idle; it cannot use w0", PoolMachine.Describe(_pool, "job"));
        Offer("w3");
        Assert.Equal(["w1", "w2", "w3"], WorkersOf("job"));
    }

    [Fact]
    public void A_job_that_lost_all_its_workers_waits_before_those_that_came_later()
    {
        Offer("w0", "w1").Enqueue("first", 1, 1).Enqueue("second", 1, 1).Enqueue("third", 1, 1);
        var before = _pool.State.Find("second")!.GrantVersion;
        Gone("w1").Gone("w0");
        Assert.Equal(["first", "second", "third"], _pool.State.Queue.Select(q => q.JobId));
        Assert.True(_pool.State.Find("second")!.GrantVersion > before);
    }

    [Fact]
    public void A_released_jobs_workers_go_to_the_jobs_behind_it()
    {
        Offer("w0", "w1").Enqueue("first", 2, 2).Enqueue("second", 1, 1).Enqueue("third", 1, 1).Release("first");
        Assert.Equal(["second", "third"], _pool.State.Placed.Select(p => p.JobId));
        Assert.Empty(_pool.State.Queue);
    }

    [Fact]
    public void A_released_job_leaves_the_queue_and_unblocks_it()
    {
        Offer("w0").Enqueue("large", 5, 5).Enqueue("small", 1, 1).Release("large");
        Assert.Equal(["w0"], WorkersOf("small"));
    }

    [Fact]
    public void A_drained_worker_leaves_its_job_and_gets_none_until_it_is_undrained()
    {
        Offer("w0", "w1").Enqueue("job", 1, 2);
        Then(PoolMachine.Drain(_pool, "w1")!.Value);
        Assert.Equal(["w0"], WorkersOf("job"));
        Gone("w1");
        Then(PoolMachine.Offer(_pool, Some.Worker("w1", process: 7))); // Also as another process.
        Assert.Equal(["w0"], WorkersOf("job"));

        Then(PoolMachine.Undrain(_pool, "w1")!.Value);
        Assert.Equal(["w0", "w1"], WorkersOf("job"));
        Assert.Null(PoolMachine.Drain(_pool, "nobody"));
        Assert.Null(PoolMachine.Undrain(_pool, "nobody"));
    }

    [Fact]
    public void A_worker_that_is_leaving_is_let_go_and_gets_no_other_job()
    {
        Offer("w0", "w1").Enqueue("job", 1, 2);
        Then(PoolMachine.Offer(_pool, Some.Worker("w0") with { IsLeaving = true }));
        Assert.Equal(["w1"], WorkersOf("job"));
        Assert.Equal(0, _pool.Roster.IdleCount);
    }

    [Fact]
    public void A_returned_worker_is_gone_until_it_offers_itself_and_another_jobs_worker_stays()
    {
        Offer("w0", "w1").Enqueue("one", 1, 1).Enqueue("two", 1, 1);
        var before = _pool;
        Assert.Same(before, PoolMachine.Return(_pool, "two", Some.Worker("w0")).Pool);
        Assert.Same(before, PoolMachine.Return(_pool, "one", Some.Worker("w0", process: 7)).Pool);

        Then(PoolMachine.Return(_pool, "one", Some.Worker("w0")));
        Assert.Equal("one", Assert.Single(_pool.State.Queue).JobId);
        Assert.Equal(1, _pool.Roster.Count);
        Offer("w0");
        Assert.Equal(["w0"], WorkersOf("one"));
    }

    [Fact]
    public void Another_process_under_the_same_name_replaces_the_first()
    {
        Offer("w0").Enqueue("job", 1, 1);
        var version = _pool.State.Find("job")!.GrantVersion;
        Then(PoolMachine.Offer(_pool, Some.Worker("w0", process: 7)));
        Assert.Equal(7, Assert.Single(_pool.State.Find("job")!.Workers).ProcessId);
        Assert.True(_pool.State.Find("job")!.GrantVersion > version);
        var before = _pool;
        Assert.Same(before, PoolMachine.Gone(_pool, Some.Worker("w0")).Pool); // The old one's lease ends later.
    }

    [Fact]
    public void After_a_restart_placed_workers_count_as_there()
    {
        Offer("w0", "w1", "w2").Enqueue("job", 2, 2);
        var restarted = new Pool(_pool.State, PoolRoster.Of(_pool.State));
        Assert.Equal((2, 0), (restarted.Roster.Count, restarted.Roster.IdleCount));
        Assert.Equal("job", PoolMachine.PlaceOf(restarted, "w1").JobId);
        Assert.Same(restarted, PoolMachine.Offer(restarted, Some.Worker("w1")).Pool);
    }

    [Fact]
    public void Repeating_what_was_said_changes_nothing()
    {
        Offer("w0").Enqueue("placed", 1, 1).Enqueue("queued", 1, 1);
        var before = _pool;
        Assert.Same(before, Offer("w0").Enqueue("placed", 1, 1).Enqueue("queued", 1, 1).Release("unknown").Gone("nobody")._pool);
    }

    [Fact]
    public void A_sites_worker_serves_the_job_that_names_the_site_beyond_its_maximum()
    {
        Offer("w0", "w1").Then(PoolMachine.Enqueue(_pool, "federated", 1, 1, ["a", "b"])).Enqueue("plain", 1, 9);
        Assert.Equal(["w0"], WorkersOf("federated"));
        Then(PoolMachine.Offer(_pool, AtSite("site-a", "a"))).Then(PoolMachine.Offer(_pool, AtSite("site-c", "c")));
        Assert.Equal(["w0", "site-a"], WorkersOf("federated"));
        Assert.Equal(["w1"], WorkersOf("plain")); // Nobody has named c.
        Assert.Equal(1, _pool.Roster.IdleCount);

        Enqueue("waits", 9, 9).Then(PoolMachine.Offer(_pool, AtSite("site-b", "b"))); // A queue does not keep a site away: nobody else can use it.
        Assert.Equal(["w0", "site-a", "site-b"], WorkersOf("federated"));
        Gone("site-a").Then(PoolMachine.Offer(_pool, AtSite("site-a", "a")));
        Assert.Equal(["w0", "site-b", "site-a"], WorkersOf("federated"));
    }

    [Fact]
    public void Sites_alone_are_workers_enough()
    {
        Then(PoolMachine.Offer(_pool, AtSite("site-a", "a"))).Enqueue("plain", 1, 1).Release("plain").Then(PoolMachine.Enqueue(_pool, "federated", 2, 2, ["a", "b"]));
        Assert.Empty(WorkersOf("federated"));
        Then(PoolMachine.Offer(_pool, AtSite("site-b", "b")));
        Assert.Equal(["site-a", "site-b"], WorkersOf("federated"));
    }

    private static WorkerInfo AtSite(string id, string site) => Some.Worker(id) with { Site = site };

    private PoolMachineTests Offer(params string[] ids)
    {
        foreach (var id in ids)
        {
            Then(PoolMachine.Offer(_pool, Some.Worker(id)));
        }

        return this;
    }

    private PoolMachineTests Enqueue(string jobId, int min, int max) => Then(PoolMachine.Enqueue(_pool, jobId, min, max));

    private PoolMachineTests Release(string jobId) => Then(PoolMachine.Release(_pool, jobId));

    private PoolMachineTests Gone(string id) => Then(PoolMachine.Gone(_pool, Some.Worker(id)));

    private IEnumerable<string> WorkersOf(string jobId) => _pool.State.Find(jobId)!.Workers.Select(w => w.Id);

    private PoolMachineTests Then(PoolStep step)
    {
        (_pool, _reason) = (step.Pool, step.Reason);
        return this;
    }
}
