using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>How a client's round ended.</summary>
internal enum ClientEnd
{
    /// <summary>It did not take part, as nobody could compute it: its row is zeros.</summary>
    Absent = 0,

    /// <summary>Its change is in the sum.</summary>
    Counted = 1,

    /// <summary>A loss was not finite; nothing of it is in the sum.</summary>
    LossNotFinite = 2,

    /// <summary>Its change was not finite; nothing of it is in the sum.</summary>
    ChangeNotFinite = 3,

    /// <summary>The deadline came before its last step; nothing of it is in the sum.</summary>
    Late = 4,
}

/// <summary>What one client says of its round beside its change.</summary>
/// <param name="Weight">p_m: its samples, or 1.</param>
/// <param name="Steps">Local steps made.</param>
/// <param name="Squares">|δ_m|².</param>
/// <param name="BetaMin">The smallest β of its steps; <paramref name="BetaMean"/> and <paramref name="BetaMax"/> likewise.</param>
/// <param name="LossBefore">Mean loss of its first batch, at the global model.</param>
/// <param name="AccuracyBefore">Share of right predictions there.</param>
/// <param name="LossAfter">Mean loss of its last batch, before the last step.</param>
/// <param name="AccuracyAfter">Share of right predictions there.</param>
internal readonly record struct ClientReport(
    ClientEnd End, double Weight, double Steps, double Squares, double BetaMin, double BetaMean, double BetaMax,
    double LossBefore, double AccuracyBefore, double LossAfter, double AccuracyAfter)
{
    /// <summary>It was heard of in time, whatever came of it.</summary>
    public bool HasReported => End is not (ClientEnd.Absent or ClientEnd.Late);
}

/// <summary>
/// The reports of a round's clients, behind the model in the vector that is summed. Each leaf writes the row of its own client and
/// zeros elsewhere, so the sum holds every row as it was written, on every rank, whatever the order of addition.
/// </summary>
internal static class ClientTable
{
    private const int RowLength = 11;

    /// <summary>Floats of a table of so many rows, a whole number of cache lines.</summary>
    public static long Length(int clients) => (((long)clients * RowLength) + Layout.Alignment - 1) / Layout.Alignment * Layout.Alignment;

    /// <param name="table">[Length].</param>
    public static void Write(Tensor table, int index, in ClientReport report)
    {
        float[] row =
        [
            (float)report.End, (float)report.Weight, (float)report.Steps, (float)report.Squares, (float)report.BetaMin, (float)report.BetaMean,
            (float)report.BetaMax, (float)report.LossBefore, (float)report.AccuracyBefore, (float)report.LossAfter, (float)report.AccuracyAfter,
        ];
        table.narrow(0, (long)index * RowLength, RowLength).copy_(tensor(row));
    }

    public static ClientReport[] Read(Tensor table, int clients)
    {
        var x = table.cpu().data<float>();
        return [.. Enumerable.Range(0, clients).Select(i => (long)i * RowLength).Select(at =>
            new ClientReport((ClientEnd)x[at], x[at + 1], x[at + 2], x[at + 3], x[at + 4], x[at + 5], x[at + 6], x[at + 7], x[at + 8], x[at + 9], x[at + 10]))];
    }
}
