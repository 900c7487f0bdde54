using System.Collections.Immutable;
using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>A checkpoint on disk whose files were all found intact when it was opened.</summary>
internal sealed class Checkpoint
{
    private Checkpoint(string path, CheckpointManifest manifest)
    {
        Path = path;
        Manifest = manifest;
    }

    public string Path { get; }

    public CheckpointManifest Manifest { get; }

    /// <summary>Reads every byte and compares it with the manifest.</summary>
    /// <exception cref="InvalidDataException">It is damaged; the message says where.</exception>
    /// <exception cref="IOException">It cannot be read, or is not there.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be read.</exception>
    public static Checkpoint Open(string path)
    {
        var manifest = ReadManifest(path);
        if (JobLayout.RoundOf(System.IO.Path.GetFileName(path)) is { } round && round != manifest.Round)
        {
            throw new InvalidDataException($"{JobLayout.Manifest} is of round {manifest.Round}, not of the round in the folder's name");
        }

        foreach (var file in manifest.Files)
        {
            if (Difference(Measure(path, file.Name), file) is { } difference) { throw new InvalidDataException(difference); }
        }

        return new Checkpoint(path, manifest);
    }

    /// <summary>The manifest alone, sealed and well-formed; the other files are not looked at.</summary>
    /// <exception cref="InvalidDataException">It is missing or damaged.</exception>
    public static CheckpointManifest ReadManifest(string path)
    {
        var file = Neighbour(path, JobLayout.Manifest);
        if (file.Length is 0 or > CheckpointManifest.MaxBytes) { throw new InvalidDataException($"{file.Name} has {file.Length:N0} bytes"); }
        return CheckpointManifest.Decode(File.ReadAllBytes(file.FullName));
    }

    /// <summary>Size and hash of a file as it is now.</summary>
    /// <exception cref="InvalidDataException">It is missing, a folder or a link.</exception>
    public static ManifestFile Measure(string path, string name)
    {
        var file = Neighbour(path, name);
        using var stream = file.OpenRead();
        return new ManifestFile(name, file.Length, Convert.ToHexStringLower(SHA256.HashData(stream)));
    }

    /// <summary>How a file differs from what the manifest says, in words; null when it does not.</summary>
    public static string? Difference(ManifestFile found, ManifestFile expected) =>
        found.Bytes != expected.Bytes ? $"{expected.Name} has {found.Bytes:N0} bytes; it was written with {expected.Bytes:N0}"
        : found.Sha256 != expected.Sha256 ? $"{expected.Name} was changed after it was written (its SHA-256 does not match the manifest)"
        : null;

    /// <summary>Why this checkpoint does not fit the state, in words; null when it does.</summary>
    /// <exception cref="InvalidDataException">A header is malformed.</exception>
    public string? Mismatch(MethodState state)
    {
        using var model = OpenTensors(JobLayout.Model);
        using var optimizer = OpenTensors(JobLayout.Optimizer);
        return Mismatch(state.As(Manifest.Counters), model, optimizer);
    }

    /// <summary>
    /// Fills the state's buffers (padding becomes zero) and counters. Everything is compared before anything is written. What may be
    /// missing and is (<see cref="MethodState.Optional"/>) becomes zero.
    /// </summary>
    /// <exception cref="InvalidDataException">It does not fit the state, or was damaged since it was opened (the state is then half filled).</exception>
    public void Load(MethodState state)
    {
        using var model = OpenTensors(JobLayout.Model);
        using var optimizer = OpenTensors(JobLayout.Optimizer);
        var whole = state;
        state = whole.As(Manifest.Counters);
        if (Mismatch(state, model, optimizer) is { } reason) { throw new InvalidDataException(reason); }
        foreach (var (_, unsaved) in whole.Buffers.Except(state.Buffers)) { unsaved.Clear(); }
        foreach (var unsaved in whole.Counters.Keys.Except(state.Counters.Keys).ToArray()) { whole.Counters[unsaved] = 0; }

        // A buffer on a GPU is filled through a copy on the CPU, one at a time.
        for (var i = 0; i < state.Buffers.Count; i++)
        {
            var (name, target) = state.Buffers[i];
            using var staging = target.IsOnCpu ? null : new FlatBuffer(target.Length);
            var buffer = staging ?? target;
            buffer.Clear();
            var tensors = i == 0 ? StateTensors.Model(state) : StateTensors.Buffer(state.Layout, name, target);
            StateTensors.Read(i == 0 ? model : optimizer, [.. tensors.Select(t => t with { Buffer = buffer })]);
            if (staging is not null) { target.CopyFrom(staging); }
        }

        foreach (var (name, value) in Manifest.Counters) { whole.Counters[name] = value; }
        if (WeightsHash.Of(state.Layout, state.Buffers[0].Buffer) != Manifest.WeightsSha256)
        {
            throw new InvalidDataException("the weights read do not have the manifest's weightsSha256");
        }
    }

    /// <summary>Fills θ on the CPU from the model alone.</summary>
    /// <exception cref="InvalidDataException">It is of another model.</exception>
    public void LoadModel(Layout layout, FlatBuffer theta)
    {
        using var model = OpenTensors(JobLayout.Model);
        var tensors = StateTensors.Model(new MethodState(layout, [("theta", theta)], new Dictionary<string, long>()));
        if (StateTensors.Mismatch(model.Header, tensors) is { } reason) { throw new InvalidDataException($"{JobLayout.Model}: {reason}"); }
        theta.Clear();
        StateTensors.Read(model, tensors);
    }

    private string? Mismatch(MethodState state, SafeTensorsFile model, SafeTensorsFile optimizer)
    {
        if (StateTensors.Mismatch(model.Header, StateTensors.Model(state)) is { } inModel) { return $"{JobLayout.Model}: {inModel}"; }
        if (StateTensors.Mismatch(optimizer.Header, StateTensors.Optimizer(state)) is { } inOptimizer) { return $"{JobLayout.Optimizer}: {inOptimizer}"; }

        var wanted = state.Counters.Keys.Order(StringComparer.Ordinal).ToImmutableArray();
        return Manifest.Counters.Keys.Order(StringComparer.Ordinal).SequenceEqual(wanted)
            ? null
            : $"it has the counters {string.Join(", ", Manifest.Counters.Keys)}, this method's are {string.Join(", ", wanted)}";
    }

    private SafeTensorsFile OpenTensors(string name) => SafeTensorsFile.Open(System.IO.Path.Combine(Path, name));

    private static FileInfo Neighbour(string path, string name)
    {
        var file = new FileInfo(System.IO.Path.Combine(path, name));
        if (file.LinkTarget is not null) { throw new InvalidDataException($"{name} is a link; a checkpoint's files lie in its folder"); }
        if (!file.Exists)
        {
            _ = Directory.GetFileSystemEntries(path); // A folder that is gone, or closed to us, says so itself.
            throw new InvalidDataException(Directory.Exists(file.FullName) ? $"{name} is a folder" : $"{name} is missing");
        }

        return file;
    }
}
