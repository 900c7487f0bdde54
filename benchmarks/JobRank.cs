using System.Diagnostics;
using System.Globalization;
using System.Net;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;
using Cluster.Trainer.Worker;

namespace Cluster.Benchmarks;

/// <summary>
/// One rank of a job as a process, through the production round loop and mesh, which stops between rounds for the benchmark's
/// commands: <c>rounds N</c> answers with the milliseconds of each, <c>span N</c> with their mean, for rounds that overlap, <c>memory</c> with three numbers of bytes (see
/// <see cref="Memory"/>).
/// </summary>
internal sealed class JobRank : IRoundObserver
{
    /// <summary>Among the overrides: as if the ranks were on hosts of their own.</summary>
    public const string Apart = "--apart";

    /// <summary>Among the overrides: no sum begins before a rank's leaves are computed.</summary>
    public const string SumAfter = "--sum-after";

    private readonly List<double> _times = [];
    private long _left;
    private long _span; // Rounds of a span that are not committed yet.
    private long _spanLength;
    private long _began;
    private long _base;
    private long _flat;

    /// <param name="spec">File name of a spec in the folder <c>specs</c>.</param>
    public static (string Program, string[] Arguments) Command(int rank, int count, string spec, IEnumerable<string> overrides) =>
        RankProcesses.ThisProgram(["job-rank", $"{rank}", $"{count}", spec, .. overrides]);

    public static int Run(string[] args)
    {
        var (rank, count) = (Number(args[0]), Number(args[1]));
        var path = Path.Combine(AppContext.BaseDirectory, "specs", args[2]);
        var read = SpecReader.ReadFile(path, [.. args[3..].Where(key => key is not (Apart or SumAfter))]);
        var spec = read.Spec ?? throw new InvalidOperationException(string.Join('\n', read.Problems));
        var device = ComputeDevice.Prepare(spec);

        using var listener = new DataPlaneListener(IPAddress.Loopback);
        Console.WriteLine(listener.EndPoint.Port);
        var members = Console.ReadLine()!.Split(' ').Select(port => (EndPoint)new IPEndPoint(IPAddress.Loopback, Number(port)));
        var secret = new byte[MeshMembership.SecretBytes]; // Loopback, for the length of a benchmark.
        using var mesh = new Mesh(new MeshMembership("benchmark", 1, rank, [.. members], [.. secret]) { SharesMemory = !args.Contains(Apart) }, listener);
        mesh.Connect();

        var commands = new JobRank { _base = ResidentBytes("VmRSS") };
        using var method = TrainingMethods.Create(spec, DataRoots.Of(path, null, Environment.GetEnvironmentVariable(DataRoots.Variable)), device);
        commands._flat = FlatBytes(method, rank, count);
        using var loop = new RoundLoop(method, spec, commands, piece: args.Contains(SumAfter) ? int.MaxValue : ReduceAhead.PieceLength);
        loop.Run(mesh, () => new RoundWish(Stop: !commands.Continues(), mesh.Generation));
        return 0;
    }

    /// <summary>Asked before every round: obeys commands until one asks for rounds.</summary>
    private bool Continues()
    {
        while (_left == 0)
        {
            if (_times.Count > 0) { Console.WriteLine(string.Join(' ', _times.Select(t => t.ToString("R", CultureInfo.InvariantCulture)))); }
            _times.Clear();
            switch (Console.ReadLine()?.Split(' '))
            {
                case ["rounds", var count]: _left = Number(count); break;
                case ["span", var count]: (_left, _span, _spanLength, _began) = (Number(count), Number(count), Number(count), Stopwatch.GetTimestamp()); break;
                case ["memory"]: Console.WriteLine($"{ResidentBytes("VmRSS")} {ResidentBytes("VmHWM")} {_base} {_flat}"); break;
                default: return false;
            }
        }

        _left--;
        if (_span == 0) { _began = Stopwatch.GetTimestamp(); }
        return true;
    }

    void IRoundObserver.Began(RoundCounters counters)
    {
    }

    void IRoundObserver.LeavesComputed(int count)
    {
    }

    void IRoundObserver.Committed(RoundCounters counters, in Tally tally, RoundResult result, in RoundTimes times)
    {
        var elapsed = Stopwatch.GetElapsedTime(_began).TotalMilliseconds;
        if (_span == 0) { _times.Add(elapsed); }
        else if (--_span == 0) { _times.Add(elapsed / _spanLength); }
    }

    void IRoundObserver.Evaluated(RoundCounters counters, IReadOnlyList<Evaluation> evaluations, TimeSpan took)
    {
    }

    /// <summary>What the flat buffers of a rank add up to: parameters and moments, contributions, and the sum.</summary>
    private static long FlatBytes(IRoundMethod method, int rank, int count)
    {
        var leaves = method.Leaves(0).Count;
        var run = new LeafRanges(leaves, count)[rank];
        using var contributions = new LeafAccumulator(() => new FlatBuffer(1)); // How many it keeps, counted on short ones.
        contributions.Begin(run, leaves);
        for (var i = 0; i < run.Count; i++)
        {
            contributions.Next();
            contributions.Commit(default);
        }

        return sizeof(float) * (method.State.Buffers.Sum(b => b.Buffer.Length) + ((contributions.BufferCount + 1) * method.ContributionLength));
    }

    /// <summary>From Linux: VmRSS is the process's resident memory, VmHWM the most that it ever was.</summary>
    private static long ResidentBytes(string key)
    {
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(key + ":", StringComparison.Ordinal));
        return 1024 * long.Parse(line[(key.Length + 1)..].Replace("kB", "", StringComparison.Ordinal), NumberStyles.Integer | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>A rank's answer to <c>memory</c>, in bytes.</summary>
    /// <param name="Now">Resident now.</param>
    /// <param name="Peak">The most that was ever resident.</param>
    /// <param name="Base">Resident before the job was built: runtime, libraries, connections.</param>
    /// <param name="Flat">What the job's flat buffers add up to.</param>
    public readonly record struct Memory(long Now, long Peak, long Base, long Flat)
    {
        public static Memory Parse(string line) =>
            line.Split(' ').Select(t => long.Parse(t, CultureInfo.InvariantCulture)).ToArray() is [var now, var peak, var before, var flat]
                ? new(now, peak, before, flat)
                : throw new FormatException(line);
    }
}
