using System.Globalization;
using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Methods.Continual;

/// <summary>
/// Watches the loss of the trunk's batches by <see cref="PageHinkley"/>; after a drift it begins anew. All it remembers is among the
/// counters of the method's state, bit for bit, so whoever resumes or joins sees the same drifts.
/// </summary>
internal sealed class DriftDetector
{
    /// <summary>Name of the statistic in the record of a round.</summary>
    public const string Metric = "drift";

    /// <summary>Losses since it began, those of the warm-up included.</summary>
    private const string Seen = "drift.seen";
    private const string Mean = "drift.mean";
    private const string Sum = "drift.sum";
    private const string Lowest = "drift.lowest";

    /// <summary>Rounds committed when the newest drift was seen; 0 before the first.</summary>
    private const string Round = "drift.round";

    /// <summary>Updates of the trunk when replay was raised; 0 before.</summary>
    private const string Raised = "drift.raised";

    private readonly DriftSpec _spec;
    private readonly IDictionary<string, long> _counters;

    /// <param name="counters">Those of the method's state; its own are added, as of one that has seen nothing.</param>
    public DriftDetector(DriftSpec spec, IDictionary<string, long> counters)
    {
        (_spec, _counters) = (spec, counters);
        (counters[Round], counters[Raised]) = (0, 0);
        Begin();
    }

    /// <summary>Updates of the trunk before its replay was raised; 0 where it was not.</summary>
    public long RaisedAfter => _counters[Raised];

    /// <summary>Takes the loss of an applied update.</summary>
    /// <param name="update">Its number, from 1.</param>
    /// <param name="rounds">Committed with it.</param>
    /// <returns>The statistic, 0 within the warm-up, and whether it is above the threshold.</returns>
    public (double Statistic, bool IsDrift) See(double loss, long update, long rounds)
    {
        var seen = ++_counters[Seen];
        if (seen <= _spec.WarmUp) { return (0, false); }
        var test = new PageHinkley(seen - _spec.WarmUp - 1, _counters.GetNumber(Mean), _counters.GetNumber(Sum), _counters.GetNumber(Lowest)).After(loss, _spec.Delta);
        _counters.SetNumber(Mean, test.Mean);
        _counters.SetNumber(Sum, test.Sum);
        _counters.SetNumber(Lowest, test.Lowest);
        if (!(test.Statistic > _spec.Threshold)) { return (test.Statistic, false); }
        Begin();
        _counters[Round] = rounds;
        if (_spec.Action == DriftAction.RaiseReplay && RaisedAfter == 0) { _counters[Raised] = update; }
        return (test.Statistic, true);
    }

    /// <summary>For the user.</summary>
    /// <param name="stage">In which the update lies.</param>
    public string InWords(double statistic, long update, string stage) => string.Create(
        CultureInfo.InvariantCulture,
        $"drift at update {update} of stage '{stage}': the loss of its batches has risen, Page-Hinkley statistic {statistic:G6} above the threshold {_spec.Threshold}{Consequence}");

    private string Consequence => _spec.Action switch
    {
        DriftAction.Checkpoint => "; the state is kept",
        DriftAction.RaiseReplay => FormattableString.Invariant($"; since update {RaisedAfter}, replay is at least {_spec.Share:P0} of a batch"),
        _ => "",
    };

    /// <summary>Whether the state after so many rounds is that of the newest drift, and the spec wants it kept.</summary>
    public bool IsKeptAfter(long rounds) => _spec.Action == DriftAction.Checkpoint && rounds > 0 && _counters[Round] == rounds;

    private void Begin() => (_counters[Seen], _counters[Mean], _counters[Sum], _counters[Lowest]) = (0, 0, 0, 0);
}
