using System.Collections.Immutable;
using Cluster.Cli.Run;

namespace Cluster.Tests.Federated;

public sealed class FederatedWordsTests
{
    [Theory]
    [InlineData(6, 0, 0, 0, "  global lr 1.25  6 clients")]
    [InlineData(3, 1, 0, 2, "  global lr 1.25  3 of 6 clients")]
    public void The_line_says_who_counted_in_the_round(double counted, double leftOut, double late, double absent, string expected) =>
        Assert.Equal(expected, FederatedWords.OfRound(Values(("globalLr", 1.25), ("clients", counted), ("clientsLeftOut", leftOut), ("clientsLate", late), ("clientsAbsent", absent))));

    [Theory]
    [InlineData(2, 0, "; at 2 clients: loss 0.5000 (0.2500 to 1.0000), accuracy 75.00 % (50.00 % to 100.00 %)")]
    [InlineData(1, 3, "; at 1 client, 3 absent: loss 0.5000 (0.2500 to 1.0000), accuracy 75.00 % (50.00 % to 100.00 %)")]
    [InlineData(0, 4, "; at 0 clients, 4 absent")]
    public void An_evaluation_says_what_the_clients_found(double clients, double absent, string expected) => Assert.Equal(expected, FederatedWords.OfEvaluation(Values(
        ("localEvalClients", clients), ("localEvalClientsAbsent", absent),
        ("localEvalLoss", 0.5), ("localEvalLossMin", 0.25), ("localEvalLossMax", 1),
        ("localEvalAccuracy", 0.75), ("localEvalAccuracyMin", 0.5), ("localEvalAccuracyMax", 1))));

    [Fact]
    public void Another_job_is_not_spoken_of() => Assert.Equal("", FederatedWords.OfRound(Values(("lr", 1))) + FederatedWords.OfEvaluation(Values(("evalLoss", 1))));

    private static ImmutableDictionary<string, double> Values(params ReadOnlySpan<(string Name, double Value)> values)
    {
        var all = ImmutableDictionary.CreateBuilder<string, double>();
        foreach (var (name, value) in values) { all[name] = value; }
        return all.ToImmutable();
    }
}
