using System.Collections.Immutable;
using System.Text.Json;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Methods;

namespace Cluster.Trainer.Rounds;

/// <summary>
/// Who takes part in the rounds of one generation. All ranks decide alike, from the same things: the leaves, the sites of the ranks, and
/// what was decided before.
/// <code>
///   the round was decided    those are missing again, and nobody is late: the same round, bit for bit
///   it was committed once    as it was then, with all: nobody is late, and a site that is away is awaited, for a deadline at most
///   it is new                a site that is away is missing; it is awaited only where too few would be left, for a deadline at most
/// </code>
/// Whatever is decided by what a clock or a membership says is recorded before the round is committed. Where that changes a decision
/// made before, it is a revision, and the user is told.
/// </summary>
/// <param name="time">Rank 0's alone decides how long is waited.</param>
internal sealed class Attendance(Mesh mesh, IRoundCrew crew, JobSpec spec, TimeProvider time)
{
    /// <summary>Names may come from texts.</summary>
    private const int MaxNameLength = 96;

    private PastRounds _past = PastRounds.None;
    private (long Round, long Began, bool IsOver) _wait = (-1, 0, false);

    /// <summary>A job whose clients may be late or away.</summary>
    private bool IsKept => spec.Federated?.Deadline is not null;

    /// <summary>Hears what was decided about the rounds from this one on.</summary>
    public void Begin(long round)
    {
        if (!IsKept) { return; }
        var told = Told(round, () => crew.TryRead(round) is { } past ? JsonSerializer.SerializeToUtf8Bytes(past) : null);
        _past = JsonSerializer.Deserialize<PastRounds>(told)!;
        if (mesh.Rank == 0 && round < _past.ForgottenThrough)
        {
            crew.Notice($"who missed the rounds up to {_past.ForgottenThrough} is not known any more: the rounds from {round + 1} on may differ from those that were lost");
        }
    }

    /// <summary>Who computes what, and who is missing as far as is known before anything is computed.</summary>
    public RoundPlan Plan(long round, IReadOnlyList<Leaf> leaves)
    {
        var ranges = SiteRanges.Of(leaves, crew.Sites);
        if (!IsKept) { return new RoundPlan(leaves, ranges, [], []); }

        var decided = _past.Absences.GetValueOrDefault(round, []);
        var missing = decided.ToDictionary(absence => absence.Position);
        foreach (var leaf in leaves.Where(leaf => SiteRanges.IsAway(leaf, crew.Sites)))
        {
            missing.TryAdd(leaf.Index, new Absence(leaf.Index, NameOf(leaf), AbsenceKind.Absent));
        }

        var isNew = decided.IsEmpty && round >= _past.Committed;
        ImmutableArray<Leaf> asked = [.. leaves.Select(leaf => leaf with { HasDeadline = isNew, Absence = missing.GetValueOrDefault(leaf.Index)?.Kind ?? AbsenceKind.None })];
        return new RoundPlan(asked, ranges, decided, [.. missing.Values.OrderBy(absence => absence.Position)]) { WasCommitted = !isNew };
    }

    /// <summary>
    /// Whether the round had better wait for a site that is away. True at most for a deadline; whoever hears it asks again after a moment, in
    /// which the site may have come, and with it another generation.
    /// </summary>
    public bool Waits(long round, RoundPlan plan)
    {
        var away = plan.Missing.Length - plan.Decided.Length;
        if (away == 0 || !(plan.WasCommitted || plan.Leaves.Count - plan.Missing.Length < spec.Federated!.Quorum)) { return false; }
        if (_wait.Round != round) { _wait = (round, time.GetTimestamp(), false); }
        if (_wait.IsOver) { return false; }

        var isOver = time.GetElapsedTime(_wait.Began) >= spec.Federated!.Deadline;
        _wait.IsOver = mesh.Gather(round, [(byte)(isOver ? 1 : 0)])[0] is [1];
        if (!_wait.IsOver) { crew.AwaitNews(); }
        return !_wait.IsOver;
    }

    /// <summary>Returns when who is missing is safe: the round may be committed.</summary>
    /// <param name="late">Leaves that were computed and were late, ascending.</param>
    public void Keep(long round, RoundPlan plan, IReadOnlyList<int> late)
    {
        if (!IsKept) { return; }
        ImmutableArray<Absence> absences = [.. plan.Missing
            .Concat(late.Select(index => new Absence(index, NameOf(plan.Leaves[index]), AbsenceKind.Late)))
            .OrderBy(absence => absence.Position)];
        if (absences.SequenceEqual(plan.Decided)) { return; }

        Told(round, () => crew.TryRecord(round, absences, plan.WasCommitted) ? [] : null);
        if (mesh.Rank == 0 && plan.WasCommitted)
        {
            var gone = string.Join(", ", absences.Except(plan.Decided).Select(absence => absence.Client));
            crew.Notice($"round {round + 1} is not what it was before it was lost: {gone} took part then, and could not be had again");
        }
    }

    /// <summary>
    /// What rank 0 has been told, on every rank. It asks until it is answered; meanwhile the ranks see of each other that they live.
    /// </summary>
    private byte[] Told(long round, Func<byte[]?> ask)
    {
        while (true)
        {
            var answer = mesh.Rank == 0 ? ask() : null;
            var length = mesh.Gather(round, answer is null ? [] : BitConverter.GetBytes(answer.Length))[0];
            if (length.Length == 0)
            {
                crew.AwaitNews();
                continue;
            }

            var whole = new byte[BitConverter.ToInt32(length)];
            for (var at = 0; at < whole.Length; at += Mesh.MaxGatherBytes)
            {
                mesh.Gather(round, answer is null ? [] : answer.AsSpan(at, Math.Min(Mesh.MaxGatherBytes, whole.Length - at)))[0].CopyTo(whole, at);
            }

            return whole;
        }
    }

    private static string NameOf(Leaf leaf) => leaf.Name is { } name ? name[..Math.Min(name.Length, MaxNameLength)] : $"leaf {leaf.Index}";
}

/// <summary>A round before it is computed.</summary>
/// <param name="Leaves">As they are asked of the method: of each is said whether it is missing, and whether it may be late.</param>
/// <param name="Decided">Who is missing as far as it was decided in an earlier life of the round.</param>
/// <param name="Missing">These, and those that are away now; by position.</param>
internal sealed record RoundPlan(IReadOnlyList<Leaf> Leaves, LeafRanges Ranges, ImmutableArray<Absence> Decided, ImmutableArray<Absence> Missing)
{
    /// <summary>Or may have been: it is computed again.</summary>
    public bool WasCommitted { get; init; }
}
