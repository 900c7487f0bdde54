using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Cluster.Contracts;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.State;

namespace Cluster.Tests.Checkpoints;

/// <summary>A job's folder in a temporary place, a small model with odd tensor sizes, and short ways to save and look.</summary>
internal sealed class CheckpointFixture : IDisposable
{
    public CheckpointFixture() => JobDirectory = Directory.CreateTempSubdirectory("cluster-checkpoints-").FullName;

    public string JobDirectory { get; init; }

    public string Folder => CheckpointStore.FolderOf(JobDirectory);

    public CheckpointJob Job { get; init; } = new(
        "digits", "digits", "lamb", "hash-of-the-spec", "name: digits\nmethod: lamb\n",
        new Dictionary<string, string> { ["processor"] = "test", ["libtorch"] = "2.10.0" });

    /// <summary>9 + 3 + 1 + 0 + 35 parameters and 3 + 1 statistics; only one segment fills its slot.</summary>
    public static Layout Layout { get; } = new(
    [
        ("conv.weight", [3, 1, 3, 1], SegmentRole.Parameter),
        ("bn.running_mean", [3], SegmentRole.Statistic),
        ("conv.bias", [3], SegmentRole.Parameter),
        ("scale", [], SegmentRole.Parameter),
        ("nothing", [0, 4], SegmentRole.Parameter),
        ("fc.weight", [5, 7], SegmentRole.Parameter),
        ("bn.batches", [1], SegmentRole.Statistic),
    ]);

    /// <summary>θ over parameters and statistics, m and v over parameters, an average over everything; all zero.</summary>
    public static MethodState EmptyState(bool moments = true) => new(
        Layout,
        moments
            ? [("theta", new FlatBuffer(Layout.Length)), ("m", new FlatBuffer(Layout.ParameterLength)), ("v", new FlatBuffer(Layout.ParameterLength)), ("average", new FlatBuffer(Layout.Length))]
            : [("theta", new FlatBuffer(Layout.Length))],
        new SortedDictionary<string, long> { ["updates"] = 0, ["skippedInARow"] = 0 });

    /// <summary>Bits of every kind, padding included: numbers, negative zero, infinities, NaNs with a payload, denormals.</summary>
    public static MethodState State(int seed, bool moments = true)
    {
        var state = EmptyState(moments);
        Fill(state, seed);
        return state;
    }

    public static void Fill(MethodState state, int seed)
    {
        var bits = (uint)seed;
        foreach (var (_, buffer) in state.Buffers)
        {
            foreach (ref var word in MemoryMarshal.Cast<float, uint>(buffer.Span)) { word = bits = bits * 1664525 + 1013904223; }
        }

        state.Buffers[0].Buffer.Span[0] = -0f;
        state.Buffers[0].Buffer.Span[1] = float.NaN;
        state.Buffers[0].Buffer.Span[2] = float.Epsilon;
        state.Counters["updates"] = seed;
        state.Counters["skippedInARow"] = long.MaxValue - seed;
    }

    /// <summary>The bits of all segments, without padding.</summary>
    public static uint[] Bits(MethodState state) =>
    [
        .. from named in state.Buffers
           from segment in Layout.Segments
           where segment.End <= named.Buffer.Length
           from word in MemoryMarshal.Cast<float, uint>(named.Buffer.Slice(segment.Offset, segment.Length)).ToArray()
           select word,
    ];

    public CheckpointWriter Open(int keep = 3, IDisk? disk = null) =>
        CheckpointWriter.Open(JobDirectory, Job, keep, parent: null, TimeProvider.System, disk ?? new Disk(), out _);

    /// <summary>Saves the state of that seed as that round.</summary>
    public string Save(long round, int? seed = null, int keep = 3, bool moments = true)
    {
        using var writer = Open(keep);
        return writer.Save(State(seed ?? (int)round, moments), round, samplesSeen: round * 64).Path;
    }

    public CheckpointSearch Find(MethodState? state = null) => CheckpointStore.FindNewestIntact(JobDirectory, Job.Id, Job.SpecHash, state, Job.Earlier);

    public string[] Names() => [.. Directory.GetFileSystemEntries(Folder).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal)];

    /// <summary>Changes a manifest and seals it again, as only a program could.</summary>
    public static void Reseal(string checkpoint, Func<CheckpointManifest, CheckpointManifest> change) =>
        File.WriteAllBytes(Path.Combine(checkpoint, JobLayout.Manifest), change(Checkpoint.ReadManifest(checkpoint)).Encode());

    /// <summary>Writes other bytes into a file and makes the manifest agree with them.</summary>
    public static void Replace(string checkpoint, string name, byte[] bytes)
    {
        File.WriteAllBytes(Path.Combine(checkpoint, name), bytes);
        var file = Checkpoint.Measure(checkpoint, name);
        Reseal(checkpoint, m => m with { Files = [.. m.Files.Select(f => f.Name == name ? file : f)] });
    }

    /// <summary>A safetensors file with one number per element of each tensor.</summary>
    public static byte[] SafeTensors(params (string Name, ImmutableArray<long> Shape)[] tensors)
    {
        var header = SafeTensorsHeader.For(tensors, ImmutableDictionary<string, string>.Empty);
        return [.. header.Encode(), .. new byte[header.DataBytes]];
    }

    public void Dispose() => Directory.Delete(JobDirectory, recursive: true);
}
