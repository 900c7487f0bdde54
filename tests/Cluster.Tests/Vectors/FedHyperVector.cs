using System.Text.Json;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;
using Cluster.Trainer.Methods.FedHyper;

namespace Cluster.Tests.Vectors;

/// <summary>One file of <c>fedhyper/</c>, as its README describes it.</summary>
internal sealed class FedHyperVector
{
    private readonly JsonElement _root;

    public FedHyperVector(string path)
    {
        _root = JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;
        Assert.Equal("fedhyper-vectors", _root.GetProperty("format").GetString());
        Problem = FedHyperProblem.Of(_root.GetProperty("problem"));
    }

    /// <summary>Null where the clients' changes are given.</summary>
    public FedHyperProblem? Problem { get; }

    public double[] InitialWeights => Numbers(_root.GetProperty("initialWeights"));

    public double Relative => _root.GetProperty("tolerance").GetProperty("relative").GetDouble();

    public double Absolute => _root.GetProperty("tolerance").GetProperty("absolute").GetDouble();

    public IEnumerable<FedHyperCase> Cases => _root.GetProperty("cases").EnumerateArray().Select(element => new FedHyperCase(element));

    /// <summary>Who takes part in a round, in the file's order.</summary>
    public IReadOnlyList<Participant> Participants(int round)
    {
        if (_root.TryGetProperty("rounds", out var given))
        {
            return [.. given[round].GetProperty("reports").EnumerateArray().Select(report => new Participant(
                report.GetProperty("client").GetString()!, report.GetProperty("examples").GetInt32(), IsLost: false, Numbers(report.GetProperty("delta")), []))];
        }

        var entry = _root.GetProperty("schedule")[round];
        var dropped = entry.TryGetProperty("dropped", out var lost) ? lost.EnumerateArray().Select(client => client.GetString()!).ToHashSet() : [];
        return [.. entry.GetProperty("participants").EnumerateArray().Select(client => client.GetString()!).Select(name => new Participant(
            name, Problem!.Examples(name), dropped.Contains(name), null,
            entry.TryGetProperty("batches", out var batches)
                ? [.. batches.GetProperty(name).EnumerateArray().Select(batch => batch.EnumerateArray().Select(example => example.GetInt32()).ToArray())]
                : []))];
    }

    public static double[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(number => number.GetDouble())];

    /// <param name="Delta">Given where nothing is to be trained.</param>
    /// <param name="Batches">Numbers of the examples of each local step; empty where the gradient is exact.</param>
    internal sealed record Participant(string Name, int Examples, bool IsLost, double[]? Delta, int[][] Batches);
}

/// <summary>One algorithm with its settings, and what it must give.</summary>
internal sealed class FedHyperCase
{
    private static readonly HashSet<string> Understood =
    [
        "rounds", "localSteps", "alpha0", "beta0", "gammaAlpha", "gammaBeta", "alphaMin", "alphaMax", "betaMin", "betaMax", "hyperStepAlpha", "hyperStepBeta",
        "globalTermScale", "aggregation", "serverOptimizer", "momentum", "serverLr", "adamBeta1", "adamBeta2", "adamTau", "fedExpEpsilon",
        "multiplierMin", "multiplierMax", "stepFactorMax",
    ];

    private readonly JsonElement _settings;

    public FedHyperCase(JsonElement element)
    {
        Name = element.GetProperty("name").GetString()!;
        Algorithm = element.GetProperty("algorithm").GetString()!;
        Expected = [.. element.GetProperty("expected").EnumerateArray()];
        _settings = element.GetProperty("settings");
        var unknown = _settings.EnumerateObject().Select(setting => setting.Name).Where(name => !Understood.Contains(name));
        Assert.True(!unknown.Any(), $"{Name} has settings that this test does not know: {string.Join(", ", unknown)}");
    }

    public string Name { get; }

    public string Algorithm { get; }

    public IReadOnlyList<JsonElement> Expected { get; }

    public int LocalSteps => (int)Number("localSteps");

    public double Alpha0 => Number("alpha0", 1);

    public double Beta0 => Number("beta0");

    public bool IsUniform => _settings.GetProperty("aggregation").GetString() == "uniform";

    /// <summary>Rule of α and of β; the settings of a case give both, whichever moves.</summary>
    public HyperRule GlobalRule => new(Number("hyperStepAlpha", 1), Number("alphaMin"), Number("alphaMax"));

    public HyperRule LocalRule => new(Number("hyperStepBeta", 1), Number("betaMin"), Number("betaMax"));

    public double TermScale => Number("globalTermScale");

    public ServerSpec Server => Optimizer switch
    {
        "sgd" or "fedexp" => new ServerSpec.FedAvg(),
        "momentum" => new ServerSpec.FedAvgM { Momentum = Number("momentum") },
        "adam" => new ServerSpec.FedAdam { Lr = Number("serverLr"), Beta1 = Number("adamBeta1"), Beta2 = Number("adamBeta2"), Tau = Number("adamTau") },
        "adagrad" => new ServerSpec.FedAdagrad { Lr = Number("serverLr"), Tau = Number("adamTau") },
        var other => throw new NotSupportedException($"{Name}: no server optimiser {other}"),
    };

    /// <param name="clients">Who takes part in a round.</param>
    public IRateScheduler Scheduler(int clients) => Algorithm switch
    {
        "fedavg" when Optimizer == "fedexp" => new FedExpRates(Number("fedExpEpsilon")),
        "fedavg" => new ConstantRates(),
        _ when Algorithm.StartsWith("fedhyper-", StringComparison.Ordinal) => new HyperRates(new HyperSettings(
            Moves("g") ? GlobalRule : null, Moves("sl") ? LocalRule : null, Moves("cl") ? LocalRule : null, Term(clients))),
        "released-code-g" => new ReleasedRates(new ReleasedSettings(Beta0, (Number("alphaMin"), Number("alphaMax")), null, null)),
        "released-code-sl" => new ReleasedRates(new ReleasedSettings(Beta0, null, (Number("betaMin"), Number("betaMax")), null)),
        "released-code-cl" => new ReleasedRates(new ReleasedSettings(
            Beta0, null, null, (Number("multiplierMin"), Number("multiplierMax")), Number("stepFactorMax"), TermScale * clients)),
        _ => throw new NotSupportedException($"{Name}: no algorithm {Algorithm}"),
    };

    private string Optimizer => _settings.TryGetProperty("serverOptimizer", out var name) ? name.GetString()! : "sgd";

    private bool Moves(string part) => Algorithm["fedhyper-".Length..].Split('+').Contains(part);

    private GlobalTerm Term(int clients) => TermScale switch
    {
        0 => GlobalTerm.None,
        var scale when Math.Abs((scale * LocalSteps) - 1) < 1e-12 => GlobalTerm.LocalSteps,
        var scale when Math.Abs((scale * clients) - 1) < 1e-12 => GlobalTerm.Clients,
        var scale => throw new NotSupportedException($"{Name}: {scale} is one over neither the local steps nor the clients"),
    };

    private double Number(string name, double? missing = null) =>
        _settings.TryGetProperty(name, out var value) ? value.GetDouble() : missing ?? throw new KeyNotFoundException($"{Name} has no setting {name}");
}
