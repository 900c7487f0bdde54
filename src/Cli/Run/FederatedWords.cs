using System.Collections.Immutable;
using System.Globalization;

namespace Cluster.Cli.Run;

/// <summary>What the screen says of a federated job beside loss and rate; nothing of another job.</summary>
internal static class FederatedWords
{
    /// <summary>The server's rate, and how many clients counted of those that the newest round asked.</summary>
    public static string OfRound(ImmutableDictionary<string, double> values)
    {
        if (!values.TryGetValue("globalLr", out var alpha)) { return ""; }
        var counted = values["clients"];
        var asked = counted + values["clientsLeftOut"] + values["clientsLate"] + values["clientsAbsent"];
        return string.Create(CultureInfo.InvariantCulture, $"  global lr {alpha:G3}  {(counted < asked ? $"{counted:N0} of " : "")}{asked:N0} clients");
    }

    /// <summary>Of an evaluation at the clients: the means over their examples, and between what smallest and largest of theirs they lie.</summary>
    public static string OfEvaluation(ImmutableDictionary<string, double> values)
    {
        if (!values.TryGetValue("localEvalClients", out var clients)) { return ""; }
        var absent = values["localEvalClientsAbsent"];
        var who = string.Create(CultureInfo.InvariantCulture, $"; at {clients:N0} client{(clients == 1 ? "" : "s")}{(absent > 0 ? $", {absent:N0} absent" : "")}");
        return clients == 0 ? who : string.Create(CultureInfo.InvariantCulture,
            $"{who}: loss {values["localEvalLoss"]:F4} ({values["localEvalLossMin"]:F4} to {values["localEvalLossMax"]:F4}), accuracy {values["localEvalAccuracy"]:P2} ({values["localEvalAccuracyMin"]:P2} to {values["localEvalAccuracyMax"]:P2})");
    }
}
