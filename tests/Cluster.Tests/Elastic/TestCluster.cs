using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.ServiceDefaults;
using Cluster.Tests.EndToEnd;
using Cluster.Tests.Storage;
using Cluster.Trainer.Core.Data;

namespace Cluster.Tests.Elastic;

/// <summary>
/// A cluster of real processes, as operators start them: a silo with its store, or two silos with Redis, trainers, and this process
/// as a client. Any of them may be killed. Ports are of <see cref="FreePort"/>; a silo keeps its own over a restart.
/// </summary>
internal sealed class TestCluster : IAsyncDisposable
{
    /// <summary>Far above what any of these waits takes on two busy cores; reached only when something hangs.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("cluster-elastic-").FullName;
    private readonly Dictionary<string, ServerProcess> _trainers = [];
    private readonly RedisServer? _redis;
    private readonly (string[] Settings, IPEndPoint Gateway)[] _ports;
    private readonly ServerProcess?[] _silos;
    private readonly int _dashboardPort = FreePort.Take();
    private ServerProcess? _dashboard;
    private ClusterConnection? _connection;
    private int _started;

    private TestCluster(RedisServer? redis)
    {
        _redis = redis;
        _ports = [.. Enumerable.Range(0, redis is null ? 1 : 2).Select(_ => SiloProcess.OnFreePorts())];
        _silos = new ServerProcess?[_ports.Length];
    }

    public IEnumerable<string> Trainers => _trainers.Keys;

    /// <summary>Of the dashboard, where one was started.</summary>
    public Uri Api => new($"http://127.0.0.1:{_dashboardPort}");

    /// <summary>Each kills one process that is no trainer, and starts it again: the silos, and with Redis that and the dashboard.</summary>
    public ImmutableArray<Action> Restarts =>
    [
        .. Enumerable.Range(0, _silos.Length).Select<int, Action>(i => () =>
        {
            KillSilo(i);
            StartSilo(i);
        }),
        .. _redis is null ? [] : (Action[])[_redis.Restart, StartDashboard],
    ];

    public IPoolGrain Pool => _connection!.Grains.GetGrain<IPoolGrain>(IPoolGrain.Default);

    public IJobIndexGrain Index => _connection!.Grains.GetGrain<IJobIndexGrain>(IJobIndexGrain.Default);

    /// <param name="redis">With it, two silos.</param>
    public static async Task<TestCluster> StartAsync(int trainers, RedisServer? redis = null)
    {
        var cluster = new TestCluster(redis);
        for (var i = 0; i < cluster._silos.Length; i++) { cluster.StartSilo(i); }
        try
        {
            var address = redis is null ? ClusterAddress.Of(cluster._ports[0].Gateway) : new ClusterAddress { Redis = new(redis.Connection) };
            cluster._connection = await ClusterConnection.ConnectAsync(address, SiloProcess.Deadline, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"the silo does not answer\n{cluster.Logs()}");
        }

        for (var i = 0; i < trainers; i++) { cluster.AddTrainer(); }
        return cluster;
    }

    public void StartSilo(int index = 0)
    {
        string[] state = _redis is null ? ["--Cluster:Store", Path.Combine(_folder, "silo")] : ["--Cluster:Redis", _redis.Connection];
        _silos[index] = new ServerProcess($"silo {index}", ["Cluster.Grains.dll", .. state, .. _ports[index].Settings]);
    }

    /// <summary>In the place of the one that runs, if any, which is killed.</summary>
    public void StartDashboard()
    {
        _dashboard?.Kill();
        _dashboard = new ServerProcess("dashboard", ["Cluster.Dashboard.dll", "--Cluster:Redis", _redis!.Connection, "--Cluster:Store", _folder, "--Cluster:Urls", $"{Api}"]);
    }

    public void KillSilo(int index = 0) => _silos[index]!.Kill();

    /// <summary>Asks it to end (SIGTERM), as an update does.</summary>
    public ServerProcess EndSilo(int index) => End(_silos[index]!);

    /// <summary>Asks it to end (SIGTERM).</summary>
    public ServerProcess EndDashboard() => End(_dashboard!);

    public async Task UntilSilosAreReadyAsync()
    {
        for (var began = Stopwatch.GetTimestamp(); !_silos.All(silo => silo!.HasSaid("The silo is ready")); await Task.Delay(20))
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Deadline, $"a silo did not start\n{Logs()}");
        }
    }

    public string AddTrainer()
    {
        var id = $"t{++_started}";
        string[] cluster = _redis is null ? ["--Cluster:Gateway", $"{_ports[0].Gateway}"] : ["--Cluster:Redis", _redis.Connection];
        _trainers[id] = new ServerProcess(id, ["Cluster.Trainer.dll", .. cluster, "--Cluster:Id", id]);
        return id;
    }

    /// <summary>A trainer at a site, which is also its name.</summary>
    public void AddSite(string site, string folder) => _trainers[site] = new ServerProcess(
        site, ["Cluster.Trainer.dll", "--Cluster:Gateway", $"{_ports[0].Gateway}", "--Cluster:Id", site, "--Cluster:Site", site, "--Cluster:SiteData", folder]);

    public void KillTrainer(string id)
    {
        _trainers.Remove(id, out var trainer);
        trainer!.Kill();
    }

    /// <summary>Stops the process where it stands (SIGSTOP), or lets it go on.</summary>
    public void Freeze(string id, bool frozen) => _trainers[id].Signal(frozen ? Signals.Stop : Signals.Continue);

    /// <summary>Asks it to end (SIGTERM).</summary>
    public ServerProcess End(string id)
    {
        _trainers.Remove(id, out var trainer);
        return End(trainer!);
    }

    private static ServerProcess End(ServerProcess process)
    {
        process.Signal(Signals.Terminate);
        return process;
    }

    /// <summary>Everything at once.</summary>
    public void KillAll()
    {
        for (var i = 0; i < _silos.Length; i++) { KillSilo(i); }
        foreach (var id in _trainers.Keys.ToArray()) { KillTrainer(id); }
        _dashboard?.Kill();
    }

    /// <summary>Waits until so many workers are there and serve no job.</summary>
    public async Task UntilIdleAsync(int workers)
    {
        for (var began = Stopwatch.GetTimestamp(); (await Pool.View()).Workers.Count(worker => worker.JobId is null) < workers; await Task.Delay(20))
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Deadline, $"{workers} idle workers did not come\n{Logs()}");
        }
    }

    public IFederationGrain Federation(string job) => _connection!.Grains.GetGrain<IFederationGrain>(job);

    public IJobGrain Job(string id) => _connection!.Grains.GetGrain<IJobGrain>(id);

    public async Task<IJobGrain> SubmitAsync(string id, string specText, int minWorkers, int maxWorkers)
    {
        var spec = SpecReader.Read(specText, id).Spec!;
        ImmutableArray<string> roots = Environment.GetEnvironmentVariable(DataRoots.Variable) is { } more ? [more] : []; // The samples that ship are beside the workers.
        var submission = new JobSubmission(SpecText.Write(spec), SpecHash.Of(spec), Path.Combine(_folder, "jobs", id), roots, minWorkers, maxWorkers, Resume: false) { Sites = [.. spec.Federated?.Sites ?? []] };
        for (var began = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                Assert.Null((await Job(id).Submit(submission)).Refusal);
                return Job(id);
            }
            catch (TimeoutException) when (Stopwatch.GetElapsedTime(began) < Deadline)
            {
                // The first call of a silo on an overloaded machine; a submission may be repeated.
            }
        }
    }

    /// <summary>Waits for a state of the job; a control plane that is away meanwhile is waited for too.</summary>
    public async Task<JobView> UntilAsync(IJobGrain job, Func<JobView, bool> state, string what)
    {
        var began = Stopwatch.GetTimestamp();
        JobView? view = null;
        Exception? problem = null;
        while (Stopwatch.GetElapsedTime(began) < Deadline)
        {
            try
            {
                view = await job.View(long.MaxValue).WaitAsync(TimeSpan.FromMilliseconds(500));
                if (state(view)) { return view; }
                if (view.State.IsFinal) { Assert.Fail($"the job is {view.State} before {what}: {view.Reason}\n{Describe(view)}"); }
            }
            catch (Exception away) when (away is not Xunit.Sdk.XunitException)
            {
                problem = away;
            }

            await Task.Delay(5);
        }

        throw new InvalidOperationException($"{what} did not come in {Deadline}: {(view is null ? problem?.Message : Describe(view))}\n{Logs()}");
    }

    public async Task<JobView> UntilEndAsync(IJobGrain job)
    {
        var view = await UntilAsync(job, view => view.State.IsFinal, "its end");
        Assert.True(view.State is JobState.Succeeded, $"{Describe(view)}\n{Logs()}");
        return view;
    }

    /// <summary>All samples of the job, each once, in order.</summary>
    public static async Task<RoundSample[]> SamplesAsync(IJobGrain job)
    {
        var samples = new List<RoundSample>();
        for (var last = 0L; ;)
        {
            var view = await job.View(last);
            if (view.Samples.IsEmpty) { return [.. samples]; }
            samples.AddRange(view.Samples);
            last = view.LastSample;
        }
    }

    public string Logs() => string.Join('\n', ((ServerProcess?[])[.. _trainers.Values, .. _silos, _dashboard]).OfType<ServerProcess>().Select(process => process.Describe()));

    private static string Describe(JobView view) =>
        $"{view.JobId} {view.State} ({view.Reason}), generation {view.Generation}, round {view.Round} of {view.Rounds}, workers {string.Join(", ", view.Workers)}\n"
        + string.Join('\n', view.Events.Select(e => $"  {e.Time:HH:mm:ss.fff} generation {e.Generation} {e.State}: {e.Text}")) + "\n" + string.Join('\n', view.Notices);

    public async ValueTask DisposeAsync()
    {
        KillAll();
        // The connection would wait for a silo that is gone.
        _ = Task.Run(async () => await _connection!.DisposeAsync());
        await Task.Yield();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A process of this project's, from the folder of the tests.</summary>
    internal sealed class ServerProcess
    {
        private const int MaxLines = 200;

        private readonly string _name;
        private readonly Process _process;
        private readonly Queue<string> _lines = new();

        public ServerProcess(string name, string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
        {
            _name = name;
            var start = Programs.Start(arguments[0], arguments[1..]);
            foreach (var (variable, value) in environment ?? new Dictionary<string, string>()) { start.Environment[variable] = value; }
            start.Environment["Orleans__Endpoints__AdvertisedIPAddress"] = "127.0.0.1";
            _process = Process.Start(start)!;
            _process.OutputDataReceived += Keep;
            _process.ErrorDataReceived += Keep;
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
        }

        public int ExitCode
        {
            get
            {
                Assert.True(_process.WaitForExit(Deadline), $"{_name} did not end");
                return _process.ExitCode;
            }
        }

        public void Kill()
        {
            if (!_process.HasExited) { _process.Kill(); }
            _process.WaitForExit();
        }

        public void Signal(int signal) => Signals.Send(_process, signal);

        public bool HasSaid(string beginning)
        {
            lock (_lines) { return _lines.Any(line => line.StartsWith(beginning, StringComparison.Ordinal)); }
        }

        public string Describe()
        {
            lock (_lines) { return $"--- {_name}, process {_process.Id}, {(_process.HasExited ? $"ended with {_process.ExitCode}" : "alive")}\n{string.Join('\n', _lines)}"; }
        }

        private void Keep(object sender, DataReceivedEventArgs line)
        {
            lock (_lines)
            {
                if (line.Data is not null) { _lines.Enqueue(line.Data); }
                if (_lines.Count > MaxLines) { _lines.Dequeue(); }
            }
        }
    }
}
