using System.Collections.Immutable;
using Cluster.Client;
using Cluster.Contracts.Jobs;

namespace Cluster.Tests.Control;

public sealed class RunReportTests
{
    [Fact]
    public void The_json_is_the_published_contract()
    {
        var view = new JobView(
            "digits-1", JobState.Succeeded, "all 2 ranks ended with the same weights", Generation: 1, Recoveries: 0, Round: 40, Rounds: 40,
            SamplesSeen: 10240, SkippedRounds: 1, "/store/digits/checkpoints/40", Some.Hash,
            [new("w0", 11, 0, 20, 40), new("w1", 12, 1, 20, 40)],
            ImmutableDictionary<string, double>.Empty.Add("loss", 0.25).Add("evalAccuracy", 0.97).Add("gradientNorm", double.NaN),
            ImmutableDictionary<string, string>.Empty.Add("torch", "2.10.0").Add("processor", "x64"),
            [], LastSample: 40, ["one round was skipped"], Events: [], SamplesPerSecond: 1234.5678, Submission: null);

        const string golden = """
            {
              "job": "digits",
              "state": "Succeeded",
              "reason": "all 2 ranks ended with the same weights",
              "method": "lamb",
              "rounds": 40,
              "samplesSeen": 10240,
              "metrics": {
                "evalAccuracy": 0.97,
                "gradientNorm": null,
                "loss": 0.25
              },
              "weightsSha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
              "checkpoint": "/store/digits/checkpoints/40",
              "workers": [
                {
                  "id": "w0",
                  "processId": 11,
                  "rank": 0,
                  "leavesComputed": 20
                },
                {
                  "id": "w1",
                  "processId": 12,
                  "rank": 1,
                  "leavesComputed": 20
                }
              ],
              "generations": 1,
              "recoveries": 0,
              "skippedRounds": 1,
              "wallSeconds": 12.346,
              "samplesPerSecond": 1234.6,
              "environment": {
                "processor": "x64",
                "torch": "2.10.0"
              },
              "notices": [
                "one round was skipped"
              ],
              "branches": []
            }
            """;
        Assert.Equal(golden.ReplaceLineEndings("\n"), RunReport.Of(view, "digits", "lamb", TimeSpan.FromSeconds(12.3456)).ToJson());
    }

    [Theory]
    [InlineData(JobState.Succeeded, 0)]
    [InlineData(JobState.Failed, 1)]
    [InlineData(JobState.Cancelled, 130)]
    public void Exit_codes_never_change(JobState state, int code)
    {
        Assert.Equal(code, ExitCodes.Of(state));
        Assert.Equal((2, 3), (ExitCodes.BadInput, ExitCodes.NoCluster));
    }

    [Fact]
    public void A_job_that_has_not_ended_has_no_exit_code() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ExitCodes.Of(JobState.Running));
}
