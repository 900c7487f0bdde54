using System.Text.Json;

namespace Cluster.Tests.Vectors;

/// <summary>The clients of a file and their losses, in float64.</summary>
internal abstract class FedHyperProblem
{
    protected FedHyperProblem(JsonElement problem) =>
        Clients = problem.GetProperty("clients").EnumerateArray().ToDictionary(client => client.GetProperty("client").GetString()!);

    protected IReadOnlyDictionary<string, JsonElement> Clients { get; }

    public static FedHyperProblem? Of(JsonElement problem) => problem.GetProperty("kind").GetString() switch
    {
        "given-deltas" => null,
        "quadratic" => new Quadratic(problem),
        "binary-logistic" => new Logistic(problem),
        var kind => throw new NotSupportedException($"no problem {kind}"),
    };

    public int Examples(string client) => Clients[client].GetProperty("examples").GetInt32();

    /// <param name="batch">Numbers of the examples; all where it is null.</param>
    public abstract double[] Gradient(string client, double[] w, int[]? batch);

    protected abstract double Loss(string client, double[] w);

    /// <summary>The plain mean over all clients.</summary>
    public double GlobalLoss(double[] w) => Clients.Keys.Average(client => Loss(client, w));

    private static double[][] Matrix(JsonElement rows) => [.. rows.EnumerateArray().Select(FedHyperVector.Numbers)];

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    /// <summary>½·(w - c)ᵀA(w - c).</summary>
    private sealed class Quadratic(JsonElement problem) : FedHyperProblem(problem)
    {
        public override double[] Gradient(string client, double[] w, int[]? batch)
        {
            double[] difference = [.. w.Zip(FedHyperVector.Numbers(Clients[client].GetProperty("c")), (x, c) => x - c)];
            return [.. Matrix(Clients[client].GetProperty("A")).Select(row => Dot(row, difference))];
        }

        protected override double Loss(string client, double[] w) =>
            Dot([.. w.Zip(FedHyperVector.Numbers(Clients[client].GetProperty("c")), (x, c) => x - c)], Gradient(client, w, null)) / 2;
    }

    /// <summary>Mean of log(1 + exp(z)) - y·z with z = x·w[..d] + w[d], plus ½·l2·|w|².</summary>
    private sealed class Logistic(JsonElement problem) : FedHyperProblem(problem)
    {
        private readonly double _l2 = problem.GetProperty("l2").GetDouble();

        public override double[] Gradient(string client, double[] w, int[]? batch)
        {
            var gradient = Array.ConvertAll(w, weight => _l2 * weight);
            var (x, y) = Samples(client);
            batch ??= [.. Enumerable.Range(0, y.Length)];
            foreach (var example in batch)
            {
                var residual = (1 / (1 + Math.Exp(-Logit(x[example], w))) - y[example]) / batch.Length;
                for (var i = 0; i < x[example].Length; i++) { gradient[i] += residual * x[example][i]; }
                gradient[^1] += residual;
            }

            return gradient;
        }

        protected override double Loss(string client, double[] w)
        {
            var (x, y) = Samples(client);
            return x.Zip(y, (features, label) => Math.Log(1 + Math.Exp(Logit(features, w))) - (label * Logit(features, w))).Average() + (_l2 * Dot(w, w) / 2);
        }

        private (double[][] X, double[] Y) Samples(string client) => (Matrix(Clients[client].GetProperty("X")), FedHyperVector.Numbers(Clients[client].GetProperty("y")));

        private static double Logit(double[] x, double[] w) => Dot(x, w[..^1]) + w[^1];
    }
}
