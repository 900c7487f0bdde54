using System.Collections.Immutable;
using Cluster.Contracts.Jobs;
using Cluster.Grains.Jobs;

namespace Cluster.Tests.Control;

/// <summary>What may happen to a job: mostly what makes sense, also what is late, repeated, or plainly wrong.</summary>
internal static class RandomJobEvents
{
    private static readonly string[] Names = ["w0", "w1", "w2", "w3", "w4"];

    /// <summary>Lets one thing happen.</summary>
    public static JobEventName Next(Random random, JobStory story)
    {
        var s = story.State;
        var id = Names[random.Next(Names.Length)];
        var member = story.Members is { Length: > 0 } members ? members[random.Next(members.Length)] : id;
        switch (random.Next(40))
        {
            case 0 or 30 when s.State is JobState.Unknown || random.Next(3) == 0: story.Submit(random.Next(1, 4), 5); return new("submit");
            case 1 when random.Next(3) == 0: story.Stop(); return new("stop");
            case 2 when random.Next(3) == 0: story.Pause(); return new("pause");
            case 3 or 28 or 29: story.Resume(); return new("resume");
            case 4 when random.Next(10) == 0: story.Fail("somebody says so"); return new("fail");
            case 5 or 6 or 7: story.Grant(SomeWorkers(random, story)); return new("grant");
            case 8: story.Grant(SomeWorkers(random, story), version: random.Next(5)); return new("late grant");
            case 9: story.Silent(id); return new($"silent {id}");
            case 10 when random.Next(6) == 0: story.Silent(Names); return new("all silent");
            case 11 or 12: story.GraceEnds(); return new("grace ends");
            case 13: story.State = s with { Ready = [], Arrived = [] }; return new("restart");
            case 14: story.State = JobMachine.Acknowledge(s, [.. s.Returned, .. s.Unreached]); return new("acknowledge");
            case 15 or 16: story.Round++; return new("round");
            case 37 when s.Submission is { SpecHash: not "hash" }: return Order(random, story);
            case 38 or 39 when s is { Before: not null, Granted: [var granted, ..] }: return CannotTakeUp(story, granted.Id);
            case 17: story.Hear(id); return new($"hear {id}");
            case < 22: story.AllReady(); return new("all ready");
            case < 26: story.AllArrive(); return new("all arrive");
            case 26 when s.WantsStop || random.Next(8) == 0: story.AllEnd(Some.Cancelled()); return new("all stop");
            case 27 when random.Next(8) == 0: story.AllEnd(Some.Succeeded()); return new("all succeed");
            default: return Say(random, story, random.Next(5) == 0 ? id : member);
        }
    }

    /// <summary>Good ones and bad ones: names that are taken, updates that are gone, stages that are wrong.</summary>
    private static JobEventName Order(Random random, JobStory story)
    {
        var text = random.Next(4) switch
        {
            0 => Some.Stage($"s{random.Next(4)}", updates: random.Next(8)),
            1 => $"{{name: r{random.Next(6)}}}",
            2 => $"{{name: r{random.Next(6)}, at: {story.Round + random.Next(-3, 20)}, updates: 2}}",
            _ => "{name: 7",
        };
        if (text.Contains("data", StringComparison.Ordinal)) { story.Append(text); } else { story.Release(text); }
        return new($"order {text}");
    }

    private static JobEventName CannotTakeUp(JobStory story, string id)
    {
        var report = story.Says(generation: 0) with { IsReady = false, Outcome = Some.Failed("there is no such file") };
        story.Hear(id, report);
        return new($"{id} cannot take it up", story.Worker(id), report);
    }

    private static JobEventName Say(Random random, JobStory story, string id)
    {
        var generation = random.Next(6) switch { 0 => story.State.Generation - 1, 1 => random.Next(5), _ => story.State.Generation };
        var report = Some.Report("job", story.Round, Math.Max(generation, 0)) with
        {
            IsReady = random.Next(5) > 0,
            Version = story.State.Effective?.Version - random.Next(2) ?? 0,
            Fault = random.Next(3) == 0 ? new(random.Next(4) == 0 ? null : Names[random.Next(Names.Length)], "lost") : null,
            Outcome = random.Next(24) switch
            {
                0 => Some.Succeeded(),
                1 => Some.Cancelled(),
                2 when random.Next(4) == 0 => Some.Succeeded(Some.OtherHash),
                3 when random.Next(3) == 0 => Some.Failed("by itself"),
                4 => Some.Failed("all together", isShared: true),
                _ => null,
            },
        };
        story.Hear(id, report);
        return new($"{id} says generation {report.Generation} ready {report.IsReady} fault {report.Fault?.LostWorker ?? (report.Fault is null ? "none" : "?")} outcome {report.Outcome?.State}", story.Worker(id), report);
    }

    /// <summary>Mostly those that it has, one more or one less; now and then another life of one.</summary>
    private static ImmutableArray<WorkerInfo> SomeWorkers(Random random, JobStory story) =>
        [.. Names.Where(n => story.State.Granted.Any(g => g.Id == n) ? random.Next(5) > 0 : random.Next(3) == 0)
            .Select(n => random.Next(25) == 0 ? Some.Worker(n, process: 101 + random.Next(50)) : story.Worker(n))];
}

/// <param name="Report">What <paramref name="Speaker"/> said, when that was it.</param>
internal sealed record JobEventName(string Name, WorkerInfo? Speaker = null, JobReport? Report = null)
{
    public override string ToString() => Name;
}
