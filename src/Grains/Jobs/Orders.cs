using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;

namespace Cluster.Grains.Jobs;

/// <summary>
/// Stages and releases that are ordered while a continual job lives. An order taken makes the job's spec longer, and nothing else:
/// the job is then, bit for bit, the one that had it in its spec from the beginning. What is left to decide is whether the job has
/// not come past it, and where a release forks that was asked for at once.
/// </summary>
/// <remarks>
/// Orders are stored as they come and taken up when no generation is at work: a running job stops at a checkpoint for it, so that
/// how many rounds are committed is known exactly. Workers then begin anew with the longer spec. A stage is on trial until all of
/// them have its data; where one has not, it is taken back, and the job goes on as it was. Orders behind it wait for that.
/// </remarks>
internal static class Orders
{
    public const int Max = 2000;

    /// <param name="now">UTC.</param>
    /// <param name="round">Rounds that the job is known to have committed.</param>
    public static JobStep Accept(JobGrainState s, OrderKind kind, string text, ImmutableArray<string> dataRoots, DateTime now, long round)
    {
        if (Closed(s) is { } closed) { return Refuse(closed); }
        if (s.Orders.Length >= Max) { return Refuse($"it has had {Max} orders, which is the most that one job takes"); }

        // As if it were taken up now, behind those that wait: what is wrong with it is said while somebody listens.
        var order = new JobOrder(s.Orders.Length + 1, kind, "", text, dataRoots, now);
        var trial = TakeUp(s with { Orders = s.Orders.Add(order) }, round, isTrial: true).Orders[^1];
        if (trial.State is OrderState.Refused) { return Refuse(trial.Reason!); }

        order = order with { Name = trial.Name };
        return Settle(new(s with { Orders = s.Orders.Add(order) }, $"order {order.Number} is stored: {InWords(order)}"), round);

        JobStep Refuse(string reason) => new(s, reason, reason);
    }

    /// <summary>Takes up the orders that wait, if nobody is at work.</summary>
    public static JobStep Settle(JobStep step, long round)
    {
        var s = step.State;
        if (s.State is not (JobState.Waiting or JobState.Paused) || !s.HasPendingOrders || s.Before is not null) { return step; }
        var after = TakeUp(s, round);
        return new(after, string.Join("; ", after.Orders.Where((order, i) => order != s.Orders[i]).Select(Outcome).Prepend(step.Reason)));
    }

    /// <summary>A worker cannot take the job up with the stage that is on trial: it is refused, and the job is what it was before.</summary>
    public static JobStep TakeBack(JobGrainState s, string reason)
    {
        var stage = s.Effective!.Orders[^1];
        var refused = stage with { State = OrderState.Refused, Reason = reason };
        var before = s with
        {
            Orders = s.Orders.SetItem(stage.Number - 1, refused),
            Course = s.Before! with { Version = s.Effective.Version + 1 },
            Before = null,
            Ready = [],
        };
        return new(before, $"goes on without {InWords(stage)}: {reason}");
    }

    /// <summary>Up to the first stage, which is on trial then.</summary>
    /// <param name="isTrial">All of them, to see what would become of the last.</param>
    private static JobGrainState TakeUp(JobGrainState s, long round, bool isTrial = false)
    {
        var (course, before) = (s.Effective!, s.Before);
        var orders = s.Orders.ToBuilder();
        for (var i = 0; i < orders.Count && (before is null || isTrial); i++)
        {
            if (orders[i].State is not OrderState.Stored) { continue; }
            var untried = course;
            (course, orders[i]) = Take(course, orders[i], round);
            if (orders[i] is { State: OrderState.Taken, Kind: OrderKind.Append }) { before = untried; }
        }

        var isChanged = course.Orders.Length > s.Effective!.Orders.Length;
        return s with
        {
            Orders = orders.ToImmutable(),
            Course = isChanged ? course with { Version = course.Version + 1 } : s.Course,
            Before = before,
            Ready = isChanged ? [] : s.Ready,
        };
    }

    /// <summary>The job with one more order, or as it was and why.</summary>
    private static (JobSubmission Course, JobOrder Order) Take(JobSubmission course, JobOrder order, long round)
    {
        if (SpecReader.Read(course.SpecText, "the job's spec").Spec is not { } before) { return Refuse("the job's spec cannot be read"); }
        if (before.Continual is not { } continual) { return Refuse($"method {SpecSummary.MethodOf(before)} has no trunk: only continual jobs take stages and releases"); }

        if (continual.BranchOf is { } branch) { return Refuse($"it is the branch of release {branch.Release}, which ends with it; {branch.Job} is the trunk"); }

        var plan = ContinualPlan.Of(continual);
        var committed = plan.UpdatesAfter(round);
        SpecResult[] readings = order.Kind is OrderKind.Append
            ? [SpecExtension.Append(course.SpecText, order.Text, "stage")]
            // Asked for at once, it forks here, or where another release has just been taken here, one update on.
            : [Release(Math.Max(committed, 1)), Release(committed + 1)];
        if (readings[0].Spec is null) { return Refuse(string.Join('\n', readings[0].Problems)); }

        foreach (var after in readings.Select(reading => reading.Spec).OfType<JobSpec>())
        {
            var agreement = ContinualPlan.Agreement(continual, after.Continual!);
            if (agreement >= round && !(order.Kind is OrderKind.Release && IsForkGone(after.Continual!.Releases[^1]))) { return Add(after, agreement); }
        }

        return Refuse(Gone(readings[0].Spec!.Continual!, order, plan, committed));

        // One that anneals apart changes no round of the trunk; but the trunk's state there must have been kept, or be yet to come.
        bool IsForkGone(ReleaseSpec release) => release is { Branch: BranchPlace.Apart, At: { } at } && at < committed && !plan.HasMilestone(at);

        SpecResult Release(long at) => SpecExtension.Release(course.SpecText, order.Text, "release", at);

        (JobSubmission, JobOrder) Refuse(string reason) => (course, order with { State = OrderState.Refused, Reason = reason });

        (JobSubmission, JobOrder) Add(JobSpec spec, long agreement)
        {
            ImmutableArray<string> roots = [.. course.DataRoots.Concat(order.DataRoots).Distinct(StringComparer.Ordinal)];
            var text = SpecText.Write(spec);
            if (Encoding.UTF8.GetByteCount(text) > SubmissionRules.MaxSpecBytes) { return Refuse($"with it the job's spec would have more than {SubmissionRules.MaxSpecBytes} bytes"); }
            if (roots.Length > SubmissionRules.MaxDataRoots) { return Refuse($"with it the job would have {roots.Length} data folders: at most {SubmissionRules.MaxDataRoots} are allowed"); }

            var (name, update, part) = Part(order.Kind, spec.Continual!);
            var taken = order with
            {
                State = OrderState.Taken,
                Name = name,
                Text = part,
                Round = round,
                Update = update,
                SpecHashBefore = course.SpecHash,
                AgreesUntil = agreement,
            };
            return (course with { SpecText = text, SpecHash = SpecHash.Of(spec), DataRoots = roots, Orders = course.Orders.Add(taken) }, taken);
        }
    }

    private static (string Name, long Update, string Text) Part(OrderKind kind, ContinualSpec spec)
    {
        if (kind is OrderKind.Append)
        {
            return (spec.Stages[^1].Name, spec.Stages.SkipLast(1).Sum(stage => stage.Updates), SpecText.Write(spec.Stages[^1]));
        }

        var release = spec.Releases[^1];
        return (ReleaseNames.Of(release, spec.StageOf(release.At!.Value)), release.At.Value, SpecText.Write(release));
    }

    private static string Gone(ContinualSpec after, JobOrder order, ContinualPlan plan, long committed)
    {
        if (order.Kind is OrderKind.Append)
        {
            return $"the trunk has gone on from release {after.Stages[^1].From}, which is at hand only until then; allowed: no key from, to go on from the trunk";
        }

        var total = plan.Stages[^1].Update + plan.Stages[^1].Updates;
        return committed >= total
            ? string.Create(CultureInfo.InvariantCulture, $"the trunk has ended with update {total}, and what releases it had there are taken; append a stage first")
            : string.Create(CultureInfo.InvariantCulture, $"update {after.Releases[^1].At} of the trunk is gone: it has come to {committed}; allowed: {committed + 1} to {total}, or no update for the next that comes");
    }

    /// <summary>Why the job takes no orders in its state, in words.</summary>
    private static string? Closed(JobGrainState s) => s.State switch
    {
        JobState.Unknown => s.Reason,
        JobState.Succeeded => "it is over: it has Succeeded. A job whose continual.start names one of its checkpoints goes on from there",
        JobState.Failed or JobState.Cancelled => $"it is over: it is {s.State}. Resume it first",
        JobState.Stopping => "it is about to end: it is Stopping",
        _ => null,
    };

    private static string Outcome(JobOrder order) => order.State is OrderState.Refused
        ? $"{InWords(order)} is refused: {order.Reason}"
        : string.Create(CultureInfo.InvariantCulture, $"{InWords(order)} is taken up after round {order.Round}: it {(order.Kind is OrderKind.Append ? "begins" : "forks")} after update {order.Update}");

    private static string InWords(JobOrder order) => order.Kind is OrderKind.Append ? $"stage {order.Name}" : $"release {order.Name}";
}
