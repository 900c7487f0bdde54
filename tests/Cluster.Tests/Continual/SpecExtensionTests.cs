using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Methods.Continual;

namespace Cluster.Tests.Continual;

/// <summary>A spec that becomes longer while its job lives, and how long the job is the same either way.</summary>
public sealed class SpecExtensionTests
{
    private const string Stage = "name: more\ndata: {kind: text, files: [digits/optdigits.tes]}\nupdates: 7\nmixture: {kind: equal}\nmoments: reset\n";

    [Fact]
    public void A_longer_spec_is_the_one_that_a_user_would_have_written()
    {
        var appended = SpecExtension.Append(ContinualSamples.Yaml, Stage, "more.yaml").Require();
        var written = ContinualSamples.Yaml.Replace("  releases:", $"    - {Stage.TrimEnd().Replace("\n", "\n      ", StringComparison.Ordinal)}\n  releases:", StringComparison.Ordinal);
        Assert.Equal(SpecReader.Read(written, "spec.yaml").Require(), appended);

        var released = SpecExtension.Release(SpecText.Write(appended), "{name: early, min: 1e-3}", "release", at: 3).Require();
        Assert.Equal(new ReleaseSpec { Name = "early", At = 3, Updates = 2, Min = 1e-3 }, released.Continual!.Releases[^1]);
        Assert.Equal(5, SpecExtension.Release(SpecText.Write(appended), "{name: early, at: 5}", "release", at: 3).Require().Continual!.Releases[^1].At);

        // What an order keeps of it reads back to the same.
        Assert.Equal(released, SpecExtension.Release(SpecText.Write(appended), SpecText.Write(released.Continual.Releases[^1]), "release", at: 9).Require());
        Assert.Equal(appended, SpecExtension.Append(ContinualSamples.Yaml, SpecText.Write(appended.Continual!.Stages[^1]), "stage").Require());
    }

    [Fact]
    public void What_is_wrong_is_said_with_the_files_own_line()
    {
        string Says(string stage) => Assert.Single(SpecExtension.Append(ContinualSamples.Yaml, stage, "more.yaml").Problems).ToString();
        Assert.StartsWith("more.yaml:3: continual.stages[3].updates: found \"x\"", Says(Stage.Replace("7", "x", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.StartsWith("more.yaml:1: found an empty file, allowed: a mapping with the keys name, data", Says("# nothing\n"), StringComparison.Ordinal);
        Assert.StartsWith("more.yaml:1: continual.stages[3]: found", Says("[1, 2]"), StringComparison.Ordinal);
        Assert.Contains("allowed: a job of method continual", Assert.Single(SpecExtension.Append(Spec.SpecSamples.Digits, Stage, "more.yaml").Problems).ToString(), StringComparison.Ordinal);
        Assert.Contains("allowed: at most 65536", Says(Stage + new string('#', SpecExtension.MaxBytes)), StringComparison.Ordinal);
    }

    /// <summary>Against a comparison round by round of all that a round is.</summary>
    [Fact]
    public void Two_plans_agree_until_the_first_round_that_differs()
    {
        var agreements = new HashSet<long>();
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            var a = ContinualSamples.WithReleases([.. Enumerable.Range(0, random.Next(3)).Select(_ => random.NextInt64(1, 16)).Distinct()]).Continual!;
            if (random.Next(2) == 0) { a = a with { Stages = [.. a.Stages.Select((stage, i) => i == 0 ? stage with { Release = new ReleaseSpec { Updates = 3 } } : stage)] }; }
            var b = random.Next(3) switch
            {
                0 => a with { Stages = [.. a.Stages, a.Stages[1] with { Name = "more" }] },
                1 => a with { Releases = [.. a.Releases, new ReleaseSpec { Name = "new", At = random.NextInt64(1, 16), Updates = 2 }] },
                _ => a with { Stages = [.. a.Stages.Select((stage, i) => i == 1 && a.Stages[0].Release is not null ? stage with { From = "plays" } : stage)] },
            };

            var (first, second) = (Rounds(a), Rounds(b));
            var expected = first.Zip(second).TakeWhile(pair => pair.First == pair.Second).Count();
            Assert.True(expected == ContinualPlan.Agreement(a, b), $"seed {seed}: {ContinualPlan.Agreement(a, b)} and not {expected}");
            Assert.Equal(expected, ContinualPlan.Agreement(b, a));
            agreements.Add(expected);
        }

        Assert.True(agreements.Count > 10);
    }

    private static string[] Rounds(ContinualSpec spec)
    {
        var plan = ContinualPlan.Of(spec);
        return [.. Enumerable.Range(0, (int)plan.Rounds).Select(round =>
        {
            var at = Moment.At(plan, round);
            var successor = at.IsReturn ? plan.SuccessorOf(at.Segment, spec)?.Name : "";
            var from = at.IsOnBranch ? "" : spec.Stages[at.Segment.Stage].From; // A stage that goes on from a release begins otherwise.
            return $"{at.Segment.Kind} stage {at.Segment.Stage} n {at.Update} j {at.BranchUpdate} {at.IsFork} {at.Segment.Release} returns to {successor} from {from}";
        })];
    }

    [Fact]
    public void Updates_after_so_many_rounds_are_those_of_the_trunk()
    {
        var plan = ContinualPlan.Of(ContinualSamples.Read().Continual!);
        Assert.Equal(
            [0L, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6, 7, 8, 8, 8, 8, 8, 9, 10, 11, 11, 11, 11, 11, 12, 13, 14, 15],
            Enumerable.Range(0, 29).Select(round => plan.UpdatesAfter(round)));
    }
}
