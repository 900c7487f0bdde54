using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;

namespace Cluster.Tests.Continual;

public sealed class ContinualSpecTests
{
    /// <summary>One mistake a row, as in <see cref="Spec.WrongSpecTests"/>: what is written instead of what, line, key, and a part of the message.</summary>
    public static TheoryData<string, string, int, string, string> Mistakes => new()
    {
        { "batch: 8\n", "batch: 8\nepochs: 2\n", 5, "epochs", "found a key that method continual does not use, allowed: this key with method lamb" },
        { "batch: 8\n", "batch: 8\ndata: {kind: digits}\n", 5, "data", "a key that method continual does not use" },
        { "batch: 8\n", "batch: 8\nstages: []\n", 5, "stages", "a key that method continual does not use" },
        { "batch: 8\n", "batch: 8\nschedule: {lr: 1}\n", 5, "schedule", "a key that method continual does not use" },
        { "batch: 8\n", "", 1, "batch", "found no such key" },
        { "leaf: 3", "leaf: 9", 5, "leaf", "more than the batch of 8" },
        { "method: continual", "method: lamb", 7, "continual", "a key that method lamb does not use, allowed: this key with method continual" },
        { "min: 4e-4,", "min: 0,", 8, "continual.schedule.min", "found \"0\", allowed: a number above 0" },
        { "min: 4e-4,", "min: 1e-2,", 8, "continual.schedule.min", "found 0.01, above constant, allowed: a number at most 0.004" },
        { "constant: 4e-3", "constant: 0.1", 8, "continual.schedule.constant", "found 0.1, above max, allowed: a number at most 0.01" },
        { "cooldownEnd: 6", "cooldownEnd: 2", 8, "continual.schedule.cooldownEnd", "found 2, before warmupEnd, allowed: a number from 2.5" },
        { "cooldownEnd: 6", "cooldownEnd: 6, annealStart: 9", 8, "continual.schedule.annealStart", "this key without end" },
        { "cooldownEnd: 6", "cooldownEnd: 6, end: 9", 8, "continual.schedule.end", "this key without annealStart" },
        { "cooldownEnd: 6", "cooldownEnd: 6, annealStart: 9, end: 9", 8, "continual.schedule.end", "found 9, not after annealStart" },
        { "cooldownEnd: 6", "cooldownEnd: 6, timescale: 3", 8, "continual.schedule.timescale", "this key with continual.schedule.cooldown inverseSqrt" },
        { "kind: infinite", "kind: infinit", 8, "continual.schedule.kind", "did you mean \"infinite\"?" },
        { "- name: digits", "- name: plays", 14, "continual.stages[1].name", "the name of an earlier stage" },
        { "updates: 5\n", "updates: 0\n", 16, "continual.stages[1].updates", "a whole number at least 1" },
        { "updates: 5\n", "updates: 5\n      sha256: abc\n", 17, "continual.stages[1].sha256", "found \"abc\", allowed: 64 lower-case hex digits" },
        { "{kind: text, files: [digits/optdigits.tes]}", "{kind: mnist}", 15, "continual.stages[1].data.kind", "found \"mnist\" with model.kind gpt, allowed: text" },
        { "updates: 6\n", "updates: 6\n      mixture: {kind: replay, share: 0.5}\n", 13, "continual.stages[0].mixture", "a replay in the first stage" },
        { "share: 0.5}", "share: 1}", 17, "continual.stages[1].mixture.share", "below 1" },
        { "share: 0.5}", "share: 0.1}", 17, "continual.stages[1].mixture", "less than one sample in the batch of 8, allowed: larger shares, or a batch of at least 10" },
        { "share: 0.25}", "share: 0.2}", 23, "continual.stages[2].mixture.of", "found shares that sum to 0.95, allowed: shares that sum to 1" },
        { "share: 0.75}", "share: 0.751}", 23, "continual.stages[2].mixture.of", "found shares that sum to 1.001, allowed: shares that sum to 1" },
        { "{kind: equal}", "{kind: shares, of: [{stage: digits, share: 0.5}]}", 19, "continual.stages[1].release.mixture.of", "found shares that sum to 0.5" },
        { "at: 8, ", "at: 8, mixture: {kind: shares, of: [{stage: plays, share: 0.5}, {stage: digits, share: 0.6}]}, ", 25, "continual.releases[0].mixture.of", "found shares that sum to 1.1" },
        { "{stage: plays, share: 0.25}", "{stage: play, share: 0.25}", 23, "continual.stages[2].mixture.of[0].stage", "found \"play\", which is no stage, allowed: one of plays, digits, names" },
        { "{stage: plays, share: 0.25}", "{stage: names, share: 0.25}", 23, "continual.stages[2].mixture.of[1].stage", "found \"names\" a second time" },
        { "{kind: replay, share: 0.5}", "{kind: shares, of: [{stage: names, share: 1}]}", 17, "continual.stages[1].mixture.of[0].stage", "a stage that comes later" },
        { "release: {updates: 3}", "release: {updates: 3, at: 2}", 13, "continual.stages[0].release.at", "comes at its end" },
        { "at: 8, ", "", 25, "continual.releases[0].at", "the update of the trunk after which it forks, 1 to 15" },
        { "at: 8, ", "at: 16, ", 25, "continual.releases[0].at", "found 16, after the last update of the trunk, allowed: a whole number from 1 to 15" },
        { "at: 8, ", "at: 8, name: plays, ", 25, "continual.releases[0].name", "the name of another release" },
        { "min: 1e-3", "min: 0.1", 25, "continual.releases[0].min", "found 0.1, above the rate of the trunk, allowed: a number at most 0.004" },
        { "moments: reset", "from: names", 18, "continual.stages[1].from", "no release at the end of the stage before, allowed: plays, or no such key" },
        { "- name: names", "- name: names\n      from: digits-8", 21, "continual.stages[2].from", "allowed: digits, or no such key" },
        { "  releases:", "  drift: {delta: 0.1}\n  releases:", 24, "continual.drift.threshold", "found no such key, allowed: a number above 0" },
        { "  releases:", "  drift: {delta: -1, threshold: 1}\n  releases:", 24, "continual.drift.delta", "at least 0" },
        { "  releases:", "  drift: {delta: 0, threshold: 0}\n  releases:", 24, "continual.drift.threshold", "a number above 0" },
        { "  releases:", "  drift: {delta: 0, threshold: 1, action: retrain}\n  releases:", 24, "continual.drift.action", "allowed: one of note, checkpoint, raiseReplay" },
        { "  releases:", "  drift: {delta: 0, threshold: 1, action: raiseReplay}\n  releases:", 24, "continual.drift.share", "found missing, where replay is to be raised" },
        { "  releases:", "  drift: {delta: 0, threshold: 1, share: 0.5}\n  releases:", 24, "continual.drift.share", "found a share, where replay is not raised" },
        { "  releases:", "  drift: {delta: 0, threshold: 1, action: raiseReplay, share: 0.2}\n  releases:", 24, "continual.drift.share", "a share of less than one sample in the batch of 8" },
        { "leaf: 3", "sequence: 17", 5, "sequence", "more than model.context" },
        { "releases:", "preview: {prompt: ''}\n  releases:", 24, "continual.preview.prompt", "found the text \"\"" },
    };

    [Theory, MemberData(nameof(Mistakes))]
    public void A_mistake_is_one_problem_at_its_line(string find, string replace, int line, string key, string message)
    {
        Assert.Contains(find, ContinualSamples.Yaml, StringComparison.Ordinal);
        var index = ContinualSamples.Yaml.IndexOf(find, StringComparison.Ordinal);
        var result = SpecReader.Read($"{ContinualSamples.Yaml[..index]}{replace}{ContinualSamples.Yaml[(index + find.Length)..]}", "spec.yaml");

        // A spec of another method lacks more than it has too much of.
        var problem = result.Problems.FirstOrDefault(p => p.Key == key);
        Assert.True(problem is not null, string.Join('\n', result.Problems));
        Assert.Equal(line, problem.Line);
        Assert.Contains(message, problem.ToString(), StringComparison.Ordinal);
        if (!replace.Contains("lamb", StringComparison.Ordinal)) { Assert.Single(result.Problems); }
    }

    [Fact]
    public void A_continual_job_needs_its_mapping() =>
        Assert.Contains("continual: found no such key", Assert.Single(SpecReader.Read(ContinualSamples.Yaml[..ContinualSamples.Yaml.IndexOf("continual:\n", StringComparison.Ordinal)], "spec.yaml").Problems).ToString(), StringComparison.Ordinal);

    [Fact]
    public void What_is_written_reads_back_to_an_equal_spec()
    {
        var spec = ContinualSamples.Read();
        var text = SpecText.Write(spec);
        Assert.Equal(spec, SpecReader.Read(text, "written.yaml").Require());
        Assert.DoesNotContain("epochs", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("continual.stages[0].sha256=0000000000000000000000000000000000000000000000000000000000000000", false)]
    [InlineData("continual.stages[1].updates=6", false)]
    [InlineData("continual.preview={prompt: a}", true)]
    public void The_hash_is_that_of_what_touches_the_weights(string change, bool isSame) =>
        Assert.Equal(isSame, SpecHash.Of(ContinualSamples.Read()) == SpecHash.Of(ContinualSamples.Read(change)));

    [Fact]
    public void A_plan_goes_from_trunk_to_branch_and_back()
    {
        var plan = ContinualPlan.Of(ContinualSamples.Read().Continual!);

        Assert.Equal(
            [
                "Trunk 0+6 after 0 in 0", "Branch 6+5 after 6 in 0 plays",
                "Trunk 11+2 after 6 in 1", "Branch 13+4 after 8 in 1 digits-8", "Trunk 17+3 after 8 in 1", "Branch 20+4 after 11 in 1 digits",
                "Trunk 24+4 after 11 in 2",
            ],
            plan.Segments.Select(s => $"{s.Kind} {s.FirstRound}+{s.Rounds} after {s.Update} in {s.Stage}{(s.Release is null ? "" : $" {s.Release.Name}")}"));
        Assert.Equal(28, plan.Rounds);
        for (var round = 0L; round < plan.Rounds; round++)
        {
            var segment = plan.At(round);
            Assert.InRange(round, segment.FirstRound, segment.EndRound - 1);
        }
    }

    /// <summary>A stage that is added, or a release, changes nothing of the trunk before it.</summary>
    [Fact]
    public void A_plan_of_more_stages_begins_with_that_of_fewer()
    {
        var spec = ContinualSamples.Read().Continual!;
        var fewer = ContinualPlan.Of(spec with { Stages = [.. spec.Stages.Take(2)] });
        Assert.Equal(fewer.Segments, ContinualPlan.Of(spec).Segments.Take(fewer.Segments.Length));
    }
}
