using System.Globalization;

namespace Cluster.Benchmarks.Federated;

/// <summary>One job of the table.</summary>
/// <param name="Task">Name of a <see cref="FederatedTask"/>.</param>
/// <param name="Method">Name of one of <see cref="FederatedMethods"/>.</param>
/// <param name="Beta">β(0), the clients' initial rate.</param>
/// <param name="Alpha">α(0), the server's.</param>
internal sealed record FederatedCell(string Task, string Method, double Beta, double Alpha, int Seed)
{
    public const string Columns = "task,method,beta0,alpha0,seed";

    public static FederatedCell Parse(ReadOnlySpan<string> c) => new(c[0], c[1], Number(c[2]), Number(c[3]), (int)Number(c[4]));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Task},{Method},{Beta},{Alpha},{Seed}");

    public static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}

/// <summary>One round of a cell.</summary>
/// <param name="Round">From 1.</param>
/// <param name="Accuracy">Of the global model after the round, on the evaluation data.</param>
/// <param name="Alpha">α with which the server made its step.</param>
/// <param name="BetaMin">The smallest β that a client used in the round.</param>
/// <param name="Beta">Weighted mean over the clients of the mean β of their steps.</param>
/// <param name="BetaMax">The largest.</param>
internal sealed record FederatedPoint(int Round, double Accuracy, double Loss, double Alpha, double BetaMin, double Beta, double BetaMax)
{
    public const string Columns = "round,accuracy,loss,alpha,betaMin,betaMean,betaMax";

    public static FederatedPoint Parse(ReadOnlySpan<string> c) => new(
        (int)FederatedCell.Number(c[0]), FederatedCell.Number(c[1]), FederatedCell.Number(c[2]), FederatedCell.Number(c[3]),
        FederatedCell.Number(c[4]), FederatedCell.Number(c[5]), FederatedCell.Number(c[6]));

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Round},{Accuracy:F4},{Loss:G4},{Alpha:G4},{BetaMin:G4},{Beta:G4},{BetaMax:G4}");
}
