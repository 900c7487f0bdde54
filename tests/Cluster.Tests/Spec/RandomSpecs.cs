using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;

namespace Cluster.Tests.Spec;

/// <summary>Valid specs made from a seed: every key is left at its default or set to something its limits allow.</summary>
internal sealed class RandomSpecs(int seed)
{
    private readonly Random _random = new(seed);

    public JobSpec Next() => _random.Next(3) switch
    {
        0 => NextFederated(),
        1 => NextForwardForward(),
        _ => NextLamb(),
    };

    private JobSpec NextForwardForward()
    {
        var job = Fill(new JobSpec { Name = Name(), Method = TrainingMethod.ForwardForward, Model = null!, Data = null! }) with
        {
            Batch = 100,
            Leaf = null,
            Epochs = 3,
            Rounds = null,
            Sequence = null,
            Precision = Precision.Float32,
            Optimizer = new() { Kind = One(OptimizerKind.Sgd, OptimizerKind.Adam, OptimizerKind.AdamW) },
            Schedule = new ScheduleSpec { Lr = _random.NextDouble() + 1e-9, Decay = DecayKind.Constant },
            Scaling = null,
            Clip = null,
            Workers = new(),
            Stages = [],
        };
        return _random.Next(3) switch
        {
            0 => job with { Model = new ModelSpec.Mlp { Hidden = [20, 10] }, Data = Fill(new DataSpec.Digits()), ForwardForward = Dense(Fill(new ForwardForwardSpec.Dense())) },
            1 => job with { Model = new ModelSpec.Physical { Box = One<BoxSpec>(Fill(new BoxSpec.Smooth()), Fill(new BoxSpec.Table()), new BoxSpec.Device { Address = "a:1" }) }, Data = Fill(new DataSpec.Vowels()), ForwardForward = Fill(new ForwardForwardSpec.Physical()) },
            _ => job with
            {
                Batch = null,
                Evaluate = new(),
                Model = One<ModelSpec>(Fill(new ModelSpec.Gcn()), Fill(new ModelSpec.Sage()), new ModelSpec.Gat { Heads = 2 }),
                Data = new DataSpec.Graph { Split = "public" },
                ForwardForward = Graph(Fill(new ForwardForwardSpec.Graph())),
            },
        };
    }

    /// <summary>A read-out only where something reads it, and no prediction by goodness where no label is in the input.</summary>
    private static ForwardForwardSpec.Dense Dense(ForwardForwardSpec.Dense dense) => dense with
    {
        Prediction = dense.Negatives == NegativeData.Hybrid ? DensePrediction.OnePass : dense.Prediction,
        FirstLayerVotes = false,
        Parallel = dense.Negatives == NegativeData.HardLabel ? ParallelKind.Data : dense.Parallel,
        ReadOut = dense.Prediction == DensePrediction.OnePass ? new ReadOutSpec { RateFactor = 2 } : null,
    };

    private static ForwardForwardSpec.Graph Graph(ForwardForwardSpec.Graph graph) => graph with
    {
        Task = GraphTask.Nodes,
        Loss = null,
        Threshold = null,
        Alpha = null,
        PredictionSteps = graph.Algorithm == GraphAlgorithm.SfTopToInput ? Math.Max(graph.PredictionSteps, graph.PredictionFrom) : graph.PredictionSteps,
    };

    private JobSpec NextFederated()
    {
        var job = Fill(new JobSpec { Name = Name(), Method = TrainingMethod.FedHyper, Model = null!, Data = null! });
        var text = Coin();
        ValueList<string> files = [Text(), Text()];
        var clients = _random.Next(1, 3_000);
        PartitionSpec partition = (text, _random.Next(3)) switch
        {
            (true, 0) => new PartitionSpec.Speaker { Clients = clients },
            (true, 1) => new PartitionSpec.Files { Clients = files.Count },
            (false, 0) => Fill(new PartitionSpec.Dirichlet { Clients = clients, Alpha = _random.NextDouble() + 1e-9 }),
            (false, 1) => One<PartitionSpec>(Fill(new PartitionSpec.Shards { Clients = clients }), new PartitionSpec.Folders { Clients = [new() { Name = "a", Path = Text() }, new() { Name = "b", Path = Text() }] }),
            _ => new PartitionSpec.Iid { Clients = clients },
        };
        var clientsPerRound = 1 + _random.Next(partition.ClientCount);
        var most = Math.Min(3, (double)partition.ClientCount / clientsPerRound); // Of over-sampling: no more are invited than there are.
        var bySteps = Coin();
        var scheduler = Scheduler();
        var localLr = 0.001 + (0.09 * _random.NextDouble());
        return job with
        {
            Model = text ? Attention(new ModelSpec.Gpt()) : Fill(new ModelSpec.Mlp()),
            Data = text ? Fill(new DataSpec.Text { Files = files }) : Fill(new DataSpec.Digits()),
            Rounds = _random.Next(1, 1_000),
            Sequence = null,
            Workers = new WorkersSpec { Min = 2 },
            Federated = Fill(new FederatedSpec { Partition = partition, ClientsPerRound = clientsPerRound, LocalLr = localLr }) with
            {
                LocalSteps = bySteps ? 7 : null,
                LocalEpochs = bySteps ? null : 2,
                ClientsTogether = Coin() ? null : 1,
                LocalEvaluation = Coin() ? null : new() { Share = 0.01 + (0.98 * _random.NextDouble()) },
                Participation = Coin() ? null : Fill(new ParticipationSpec()) with { OverSampling = 1 + (0.99 * (most - 1) * _random.NextDouble()) },
                GlobalLr = scheduler is SchedulerSpec.FedExp ? 1 : _random.NextDouble() + 1e-9,
                LocalOptimizer = One<LocalOptimizerSpec>(new LocalOptimizerSpec.Sgd(), scheduler is SchedulerSpec.FedHyper { Mode: HyperMode.Released } ? new LocalOptimizerSpec.Sgd() : Fill(new LocalOptimizerSpec.Adam())),
                Scheduler = scheduler,
                Server = scheduler is SchedulerSpec.FedExp or SchedulerSpec.FedHyper { Mode: HyperMode.Released } ? new ServerSpec.FedAvg()
                    : One<ServerSpec>(new ServerSpec.FedAvg(), Fill(new ServerSpec.FedAvgM()), Fill(new ServerSpec.FedAdam()), Fill(new ServerSpec.FedAdagrad())),
            },
        };
    }

    private SchedulerSpec Scheduler()
    {
        var hyper = Fill(new SchedulerSpec.FedHyper()) with { LocalGamma = null, LocalWindow = null };
        if (hyper is { Mode: HyperMode.Robust, Variant: not HyperVariant.Global } && Coin())
        {
            hyper = Coin() ? hyper with { LocalGamma = 1 + _random.NextDouble() } : hyper with { LocalWindow = new RangeSpec { Low = 1e-4 * _random.NextDouble(), High = Coin() ? 0.2 : double.PositiveInfinity } };
        }

        return One<SchedulerSpec>(hyper, hyper, Fill(new SchedulerSpec.FedExp()), Fill(new SchedulerSpec.Decay()), new SchedulerSpec.Constant());
    }

    private JobSpec NextLamb()
    {
        var text = Coin();
        var job = Fill(new JobSpec { Name = Name(), Method = TrainingMethod.Lamb, Model = null!, Data = null! });
        var batch = _random.Next(1, 10_000);
        var model = text ? One(Attention(new ModelSpec.Bert()), Attention(new ModelSpec.Gpt())) : One<ModelSpec>(Fill(new ModelSpec.Mlp()), Fill(new ModelSpec.ResNet()), new ModelSpec.LeNet(), Patches(), Script());
        return job with
        {
            Model = model,
            Precision = model is ModelSpec.TorchScript ? Precision.Float32 : job.Precision,
            Device = model is ModelSpec.TorchScript ? DeviceKind.Cpu : job.Device,
            Data = text ? One<DataSpec>(Fill(new DataSpec.Text { Files = [Text()] }), Fill(new DataSpec.Tokens { Path = Text() })) : One<DataSpec>(Fill(new DataSpec.Mnist()), Fill(new DataSpec.FashionMnist()), Fill(new DataSpec.Cifar10())),
            Batch = batch,
            Leaf = Coin() ? batch : null,
            Epochs = 1.5,
            Rounds = null,
            Sequence = null,
            Schedule = Schedule(),
            Scaling = null,
            Optimizer = job.Optimizer with { NormClamp = Range(), RatioClip = Range() } is { Kind: OptimizerKind.Lamb } lamb ? lamb : job.Optimizer,
            Workers = new WorkersSpec { Min = 2, Max = Coin() ? null : 2 + _random.Next(9) },
            Stages = Coin() ? [] : [Stage(text, batch), Stage(text, batch)],
        };
    }

    private StageSpec Stage(bool text, int batch) => Fill(new StageSpec()) with
    {
        Name = Coin() ? $"s{_random.NextInt64()}" : null,
        Batch = Coin() ? batch + 7 : null,
        Leaf = null,
        Epochs = null,
        Rounds = Coin() ? _random.Next(1, 100) : null,
        Sequence = text && Coin() ? 2 : null,
        Schedule = Coin() ? Schedule() : null,
        Scaling = null,
    };

    private ScheduleSpec Schedule()
    {
        var schedule = Fill(new ScheduleSpec());
        return schedule with { Lr = _random.NextDouble() + 1e-9, WarmupRounds = null, WarmupEpochs = Coin() ? null : 0.3, WarmupShare = null };
    }

    private RangeSpec? Range() => Coin() ? null : new RangeSpec { Low = _random.NextDouble(), High = Coin() ? double.PositiveInfinity : 1 + _random.NextDouble() };

    private ModelSpec.TorchScript Script() => new() { File = One("net.pt", "a b/net.pt", "null", "~"), Sha256 = Coin() ? null : new string('7', 64) };

    private ModelSpec.Mae Patches() => Fill(new ModelSpec.Mae()) with
    {
        Patch = 1,
        Masked = 0.1 + (0.8 * _random.NextDouble()),
        Width = 24,
        Heads = 3,
        Decoder = Fill(new DecoderSpec()) with { Width = 8, Heads = 2 },
    };

    private ModelSpec Attention(ModelSpec model) => Fill(model) switch
    {
        ModelSpec.Bert bert => bert with { Width = 3 * bert.Heads },
        ModelSpec.Gpt gpt => gpt with { Width = 3 * gpt.Heads },
        _ => throw new ArgumentException("no attention", nameof(model)),
    };

    private T Fill<T>(T record)
        where T : notnull
    {
        foreach (var key in SpecKey.Of(record.GetType()).Where(k => k.IsUsedIn(record) && !k.Required && Coin()))
        {
            if (Value(key.Type, key) is { } value)
            {
                key.Property.SetValue(record, value);
            }
        }

        return record;
    }

    private object? Value(Type type, SpecKey key) => type switch
    {
        _ when type == typeof(string) => key.IsName ? Name() : Text(),
        _ when type == typeof(bool) => Coin(),
        _ when type == typeof(int) || type == typeof(long) || type == typeof(double) => Number(type, key.Limits),
        _ when type.IsEnum => SpecNames.ValuesOf(type)[_random.Next(SpecNames.ValuesOf(type).Count)].Value,
        _ when type == typeof(ValueList<int>) => (ValueList<int>)[.. Enumerable.Range(1, _random.Next(4))],
        _ when type == typeof(ValueList<string>) => (ValueList<string>)[Text(), Text()],
        _ when type == typeof(ClipSpec) => Fill(new ClipSpec { Norm = _random.NextDouble() + 1e-300 }),
        _ when type.IsAbstract || type.IsGenericType || SpecKey.Of(type).Any(k => k.Required) => null,
        _ => Fill(Activator.CreateInstance(type)!),
    };

    private object Number(Type type, IReadOnlyList<LimitAttribute> limits)
    {
        while (true)
        {
            object number = type switch
            {
                _ when type == typeof(int) => (object)_random.Next(600),
                _ when type == typeof(double) => _random.NextDouble() * Math.Pow(10, _random.Next(-12, 3)),
                _ when limits.Count == 0 => _random.NextInt64(long.MinValue, long.MaxValue),
                _ => _random.NextInt64(1_000_000),
            };
            if (limits.All(l => l.Allows(Convert.ToDouble(number))))
            {
                return number;
            }
        }
    }

    private string Name() => One("a", "digits-lamb", "x9", "null", "true", "y");

    private string Text() => One("text/a.txt", "/data/x y.txt", "C:\\data", "ü and \"quotes\"", "null", "yes", "12", "1e5", "- a", "a: b", "#a", "😀", " padded ", "'", "~", "@", "%YAML", "a #b", ".inf", "0x1F", "a'b");

    private bool Coin() => _random.Next(2) == 0;

    private T One<T>(params ReadOnlySpan<T> choices) => choices[_random.Next(choices.Length)];
}
