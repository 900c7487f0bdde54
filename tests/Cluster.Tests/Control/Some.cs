using System.Collections.Immutable;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;

namespace Cluster.Tests.Control;

/// <summary>Values for tests of the control plane, where nothing about them matters but what a test says.</summary>
internal static class Some
{
    public static readonly string Hash = new('a', 64);
    public static readonly string OtherHash = new('b', 64);

    public static JobSubmission Submission(int workers = 2, int? max = null) =>
        new("name: digits", "hash", "/store/digits", ["/data"], workers, max ?? workers, Resume: false);

    public const string ContinualSpec =
        """
        name: texts
        method: continual
        model: {kind: gpt, layers: 1, width: 16, heads: 2, context: 16}
        batch: 8
        continual:
          schedule: {kind: infinite, max: 1e-2, constant: 4e-3, min: 4e-4}
          stages:
            - name: a
              data: {kind: text, files: [a.txt]}
              updates: 40
              release: {updates: 5}
        """;

    public static JobSubmission Continual(int workers = 2, int? max = null)
    {
        var spec = SpecReader.Read(ContinualSpec, "spec.yaml").Require();
        return new(SpecText.Write(spec), SpecHash.Of(spec), "/store/texts", ["/data"], workers, max ?? workers, Resume: false);
    }

    public static string Stage(string name, int updates = 20) => $"{{name: {name}, data: {{kind: text, files: [{name}.txt]}}, updates: {updates}}}";

    public static WorkerInfo Worker(string id, int process = 100) => new(id, process, "127.0.0.1", Port: 5000, Cores: 2, Gpus: 0, MemoryBytes: 1 << 30);

    public static ImmutableArray<WorkerInfo> Workers(int count) => [.. Enumerable.Range(0, count).Select(i => Worker($"w{i}"))];

    public static ImmutableArray<WorkerInfo> Workers(params string[] ids) => [.. ids.Select(id => Worker(id))];

    public static Outcome Succeeded(string? hash = "") => new(JobState.Succeeded, null, hash is "" ? Hash : hash, Environment);

    public static Outcome Cancelled(string? hash = "") => new(JobState.Cancelled, null, hash is "" ? Hash : hash, Environment);

    public static Outcome Failed(string reason, bool isShared = false) => new(JobState.Failed, reason, null, Environment, isShared);

    public static ImmutableDictionary<string, string> Environment => ImmutableDictionary<string, string>.Empty.Add("cpu", "test");

    public static RoundSample Sample(long round, double seconds, double loss = 1, bool isEvaluation = false) =>
        new(round, isEvaluation, seconds, SamplesSeen: round * 10, Skipped: 0, ImmutableDictionary<string, double>.Empty.Add("loss", loss));

    /// <summary>Of a worker that is ready and, with a generation, computes in it.</summary>
    public static JobReport Report(string job, long round = 0, long generation = 1, Outcome? outcome = null, params ImmutableArray<RoundSample> samples) =>
        new(job, generation, Known: generation, IsReady: true, round, Rounds: 100, LeavesComputed: round * 2, samples, Checkpoint: null, Notices: [], Fault: null, outcome);
}
