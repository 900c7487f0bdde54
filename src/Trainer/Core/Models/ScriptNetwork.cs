using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using TorchSharp.Modules;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// A TorchScript module as a network. Its parameters, by the module's own names, become views of the flat buffer like any other's; those
/// that need no gradient, and its buffers, are constants of the file. Whatever would make the answer depend on who computed which leaf is refused.
/// </summary>
/// <remarks>
/// Refused: a buffer that a forward pass changes, such as a running statistic, for which there is no rule by which leaves add up; parameters
/// that share memory; two runs of one batch that differ. Not seen: a list or dictionary that the module changes and reads much later.
/// </remarks>
internal sealed class ScriptNetwork : Network
{
    private readonly jit.ScriptModule<Tensor, Tensor> _module;
    private readonly string _path;
    private readonly int _classes;
    private readonly ImmutableArray<(string Name, Parameter Parameter)> _trained;
    private readonly ImmutableArray<(string Name, Tensor Buffer, Tensor AsRead)> _constants;

    /// <param name="inputShape">Of one sample.</param>
    /// <exception cref="BadInputException">The file is missing, damaged or another one than recorded, or the module does not keep to the contract.</exception>
    public ScriptNetwork(ModelSpec.TorchScript spec, IReadOnlyList<long> inputShape, int classes, Device device, IReadOnlyList<string> roots) : base(nameof(ScriptNetwork))
    {
        if (device.type != DeviceType.CPU) { throw new BadInputException($"model.kind: torchscript is trained on the CPU; this job's device is {device}"); }
        ScriptExecution.RunAsWritten();
        (_path, var bytes, _) = ScriptFile.Read(spec, roots);
        _classes = classes;
        ScriptArchive.Check(bytes, _path);
        _module = Native("cannot be loaded", () => jit.load<Tensor, Tensor>(bytes, CPU));

        var all = _module.named_parameters().Select(p => (p.name, p.parameter)).ToArray();
        _trained = [.. all.Where(p => p.parameter.requires_grad)];
        CheckParameters();
        var fixedOnes = all.Where(p => !p.parameter.requires_grad).Select(p => (p.name, (Tensor)p.parameter)).Concat(_module.named_buffers());
        _constants = [.. fixedOnes.Select(constant => (constant.Item1, constant.Item2, constant.Item2.detach().clone()))];
        Try(inputShape);
    }

    public override IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true) => _trained;

    public override void train(bool on = true)
    {
        base.train(on);
        _module.train(on);
    }

    public override Tensor forward(Tensor input)
    {
        ScriptExecution.RunAsWritten();
        var logits = Native("failed", () => _module.forward(input));
        if (logits.shape is not [var rows, var columns] || rows != input.shape[0] || columns != _classes || logits.dtype != ScalarType.Float32)
        {
            throw Wrong($"gives {logits.dtype} [{string.Join(", ", logits.shape)}] for {input.shape[0]} samples; Float32 [{input.shape[0]}, {_classes}] is needed, a row of logits for each sample");
        }

        foreach (var (name, buffer, asRead) in _constants)
        {
            if (!IsSame(buffer, asRead)) { throw Wrong($"changes its buffer '{name}' as it runs, as batch normalisation does with its running statistics: what a leaf gives would depend on the leaves before it. Use layers without running statistics, such as LayerNorm, GroupNorm, or BatchNorm with track_running_stats=False"); }
        }

        return logits;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && _module is not null)
        {
            foreach (var (_, parameter) in _trained) { parameter.Dispose(); }
            foreach (var (_, buffer, asRead) in _constants)
            {
                buffer.Dispose();
                asRead.Dispose();
            }

            _module.Dispose();
        }

        base.Dispose(disposing);
    }

    private void CheckParameters()
    {
        if (_trained.IsEmpty) { throw Wrong("has no parameter that needs a gradient: there is nothing to train"); }
        var places = new Dictionary<nint, string>();
        foreach (var (name, parameter) in _trained)
        {
            if (parameter.dtype != ScalarType.Float32 || parameter.device_type != DeviceType.CPU || parameter.is_sparse)
            {
                throw Wrong($"has the parameter '{name}' of {parameter.dtype} on {parameter.device}: dense float32 on the CPU is needed");
            }

            using var storage = parameter.storage<float>();
            if (parameter.numel() == 0) { continue; }
            if (!places.TryAdd(storage.data_ptr(), name)) { throw Wrong($"has the parameters '{places[storage.data_ptr()]}' and '{name}' in the same memory: weights that are shared cannot be trained; give each its own"); }
        }
    }

    /// <summary>Both passes on two samples, and the training pass twice: what is wrong is said before anything starts.</summary>
    private void Try(IReadOnlyList<long> inputShape)
    {
        using var scope = NewDisposeScope();
        var before = _trained.Select(p => p.Parameter.detach().clone()).ToArray();
        var input = arange(Number(2 * inputShape.Aggregate(1L, (product, extent) => product * extent)), dtype: ScalarType.Float32).mul(Number(0.37)).sin().abs().view([2, .. inputShape]);
        train(false);
        forward(input);
        train(true);
        var (first, second) = (Trained(), Trained());
        if (!IsSame(first, second)) { throw Wrong("gives two different results for one batch with the same seed: a module must be a function of its parameters, its input and torch's generator"); }
        if (!first.requires_grad) { throw Wrong("gives logits that depend on no parameter: they must be computed with gradients, and not detached"); }
        foreach (var ((name, parameter), asRead) in _trained.Zip(before))
        {
            if (!IsSame(parameter, asRead)) { throw Wrong($"changes its parameter '{name}' as it runs"); }
        }

        Tensor Trained()
        {
            using var generator = manual_seed(1);
            return forward(input);
        }
    }

    /// <summary>Bit for bit, whatever the type.</summary>
    private static bool IsSame(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        return a.shape.SequenceEqual(b.shape) && a.dtype == b.dtype && a.detach().contiguous().bytes.SequenceEqual(b.detach().contiguous().bytes);
    }

    private BadInputException Wrong(string what) => ScriptArchive.Wrong(_path, what);

    /// <summary>Native code's complaint without its frames and traces.</summary>
    private T Native<T>(string what, Func<T> call)
    {
        try { return call(); }
        catch (ExternalException e) { throw Wrong($"{what}: {Sentence(e.Message)}"); }
        catch (InvalidCastException) { throw Wrong("gives something else than one tensor: logits [n, classes] are needed"); }
    }

    /// <summary>Of an error within the module its last line; of libtorch's own the part before the place in its source.</summary>
    internal static string Sentence(string message)
    {
        var lines = message.Split("\nException raised from ")[0].Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return message.Contains("Traceback of TorchScript", StringComparison.Ordinal) ? lines[^1] : lines.FirstOrDefault() ?? "no reason was given";
    }
}
