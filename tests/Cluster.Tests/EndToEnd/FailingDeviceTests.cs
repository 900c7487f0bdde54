using System.Text.Json;
using Cluster.Tests.ForwardForward;

namespace Cluster.Tests.EndToEnd;

/// <summary>A device fails in the middle of a job: what was learnt with it before is kept, its words come to the user, and the job can go on.</summary>
[Collection(EndToEndTests.Name)]
public sealed class FailingDeviceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cluster-device-").FullName;

    [Theory]
    [InlineData(30, "rounds in a row were skipped")] // In training: two requests a round.
    [InlineData(80, "the evaluation after round 40 was broken off")] // In the evaluation at the end.
    public void The_job_fails_with_the_devices_words_and_goes_on_from_its_last_good_round(int requests, string where)
    {
        var answered = 0;
        var isWhole = false;
        using var device = new Device((rows, width, values) =>
            (rows, Volatile.Read(ref isWhole) || Interlocked.Increment(ref answered) <= requests ? width : width + 1, [.. values.Select(MathF.Tanh)]));
        var spec = Path.Combine(_folder, "device.yaml");
        File.WriteAllText(spec, $$"""
            name: device
            method: forwardForward
            model: { kind: physical, box: { kind: device, address: '{{device.Address}}' } }
            data: { kind: vowels }
            batch: 206
            leaf: 103
            rounds: 20
            optimizer: { kind: adam, weightDecay: 0 }
            schedule: { lr: 0.0005, decay: constant }
            forwardForward: { kind: physical }
            nonFinite: { maxSkips: 3 }
            checkpoint: { everyRounds: 0 }
            evaluate: { samples: 10 }
            """);

        var (failed, report) = Tool.RunJob(spec, _folder, "--workers", "2");
        Assert.True(failed.ExitCode == 1, failed.All);
        var reason = report.GetProperty("reason").GetString();
        Assert.Contains(where, reason, StringComparison.Ordinal);
        Assert.Contains($"the device at {device.Address} answered with ", reason, StringComparison.Ordinal);
        var checkpoint = report.GetProperty("checkpoint").GetString();
        Assert.True(Directory.Exists(checkpoint), $"no checkpoint was kept:\n{failed.All}");

        Volatile.Write(ref isWhole, true);
        var (resumed, after) = Tool.RunJob(spec, _folder, "--workers", "2", "--resume");
        Assert.True(resumed.ExitCode == 0, resumed.All);
        Assert.Contains(after.GetProperty("notices").EnumerateArray(), notice => notice.GetString()!.StartsWith($"goes on from {checkpoint}", StringComparison.Ordinal));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
