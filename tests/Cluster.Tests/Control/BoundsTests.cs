using System.Collections.Immutable;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Jobs;
using Cluster.Grains.Jobs;
using Cluster.Grains.Workers;

namespace Cluster.Tests.Control;

public sealed class BoundsTests
{
    [Theory]
    [InlineData("", "job id '' is not allowed")]
    [InlineData("../etc", "job id '../etc' is not allowed")]
    [InlineData("job with spaces", "is not allowed: 1 to 128 of a-z")]
    public void A_job_id_is_a_plain_word(string id, string refusal) =>
        Assert.Contains(refusal, SubmissionRules.Refusal(new(), id, Some.Submission()), StringComparison.Ordinal);

    public static TheoryData<string, JobSubmission> Refused => new()
    {
        { "the spec has 1048577 bytes: at most 1048576", Some.Submission() with { SpecText = new('x', (1 << 20) + 1) } },
        { "the spec's hash has 0 characters", Some.Submission() with { SpecHash = "" } },
        { "the job's folder has 0 characters", Some.Submission() with { Directory = "" } },
        { "at most 64 data folders", Some.Submission() with { DataRoots = [.. Enumerable.Repeat("/d", 65)] } },
        { "at most 64 data folders", Some.Submission() with { DataRoots = default } },
        { "0 to 1 workers are asked for: 1 to 1024", Some.Submission(workers: 0, max: 1) },
        { "1 to 1025 workers are asked for", Some.Submission(workers: 1, max: 1025) },
        { "3 to 2 workers are asked for", Some.Submission(workers: 3, max: 2) },
    };

    [Theory, MemberData(nameof(Refused))]
    public void A_submission_out_of_bounds_is_refused_in_words(string refusal, JobSubmission submission) =>
        Assert.StartsWith(refusal, SubmissionRules.Refusal(new(), "job", submission), StringComparison.Ordinal);

    [Fact]
    public void Another_job_under_the_same_id_is_refused_and_the_same_one_is_not()
    {
        var s = JobStory.Waiting(2).State;
        Assert.Null(SubmissionRules.Refusal(s, "job", Some.Submission(2, 2)));
        Assert.Contains("was submitted before with another spec", SubmissionRules.Refusal(s, "job", Some.Submission(2, 3)), StringComparison.Ordinal);
        Assert.NotNull(SubmissionRules.Refusal(s, "job", Some.Submission(2, 2) with { DataRoots = ["/other"] }));
    }

    [Fact]
    public void A_report_is_cut_to_size()
    {
        var values = Enumerable.Range(0, 300).ToImmutableDictionary(i => $"v{i:d3}", i => (double)i).Add(new('n', 97), 1);
        var bounded = ReportBounds.Bounded(Some.Report("job", 1, samples: [.. Enumerable.Range(0, 2500).Select(i => Some.Sample(i, i) with { Values = values, Clients = [.. Enumerable.Range(0, 50).Select(c => new ClientPart(new('c', 200), PartKind.Late))] })]) with
        {
            Notices = [.. Enumerable.Range(0, 300).Select(i => $"{i} " + new string('x', 2000))],
            Checkpoint = new('p', 5000),
            Outcome = Some.Failed(new('r', 9999)),
            Fault = new("w1", new('f', 9999)),
        });

        Assert.Equal((2000, 2499), (bounded.Samples.Length, bounded.Samples[^1].Round));
        Assert.Equal(256, bounded.Samples[0].Values.Count);
        Assert.True(bounded.Samples[0].Values.ContainsKey("v255"));
        Assert.Equal((32, 96), (bounded.Samples[0].Clients!.Value.Length, bounded.Samples[0].Clients!.Value[0].Client.Length));
        Assert.Equal((200, 1000), (bounded.Notices.Length, bounded.Notices[0].Length));
        Assert.StartsWith("299", bounded.Notices[^1], StringComparison.Ordinal);
        Assert.Null(bounded.Checkpoint);
        Assert.Equal((4000, 4000), (bounded.Outcome!.Reason!.Length, bounded.Fault!.Reason.Length));
    }

    [Fact]
    public void Lists_that_were_never_set_count_as_empty()
    {
        var bounded = ReportBounds.Bounded(Some.Report("job") with { Samples = default, Notices = default });
        Assert.Empty(bounded.Samples);
        Assert.Empty(bounded.Notices);
    }

    public static TheoryData<JobReport> Impossible => new()
    {
        Some.Report("job", round: -1),
        Some.Report("job", round: 101), // Of 100.
        Some.Report("job", outcome: new(JobState.Running, null, null, Some.Environment)),
        Some.Report("job", outcome: Some.Succeeded("abc")),
        Some.Report("job", outcome: Some.Succeeded(new('A', 64))),
    };

    [Theory, MemberData(nameof(Impossible))]
    public void A_report_that_cannot_be_is_refused(JobReport report) =>
        Assert.Throws<ArgumentException>(() => ReportBounds.Bounded(report));

    public static TheoryData<WorkerInfo> Wrong =>
    [
        Some.Worker("other"),
        Some.Worker("w") with { Port = 0 },
        Some.Worker("w") with { Port = 70000 },
        Some.Worker("w") with { Host = "" },
        Some.Worker("w") with { Cores = 0 },
        Some.Worker("w") with { Gpus = -1 },
    ];

    [Theory, MemberData(nameof(Wrong))]
    public void A_worker_that_describes_itself_impossibly_is_refused(WorkerInfo worker) =>
        Assert.Throws<ArgumentException>(() => WorkerRules.Check("w", worker));
}
