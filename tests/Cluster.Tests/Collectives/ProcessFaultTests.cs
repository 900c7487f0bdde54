using System.Diagnostics;

namespace Cluster.Tests.Collectives;

/// <summary>Ranks in processes of their own: the sums are right, and whatever happens to one is known to the others by its name.</summary>
public class ProcessFaultTests
{
    private static readonly TimeSpan Prompt = TimeSpan.FromSeconds(5); // Far below the deadline of 60 s, for a machine that is busy.

    [SkippableTheory]
    [InlineData(2, true, 1), InlineData(4, true, 2), InlineData(3, true, 3), InlineData(3, false, 4)]
    public async Task A_killed_rank_is_named_at_once_and_leaves_nothing_behind(int ranks, bool sharesMemory, int seed)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "kill -9 and /dev/shm are of Linux");
        var before = NamedMemory();
        var random = new Random(seed);
        using (var processes = new ProcessRanks(ranks, sharesMemory, deadline: TimeSpan.FromSeconds(60)))
        {
            var (victim, rounds) = (random.Next(ranks), random.Next(1, 12));
            processes.Await(victim, rounds);
            if (sharesMemory) { Assert.All(SharedMappings(processes.IdOf(victim)), mapping => Assert.Contains("/memfd:", mapping, StringComparison.Ordinal)); }
            processes.Kill(victim);
            var start = Stopwatch.GetTimestamp();
            foreach (var rank in Enumerable.Range(0, ranks).Where(rank => rank != victim))
            {
                var end = await processes.End(rank);
                if (sharesMemory) { Assert.Equal($"fault Closed {victim} intact", end); }
                else { Assert.Matches("^fault Closed . intact$", end); } // Over connections, one that closed because of it may show first.
            }

            Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, Prompt);
        }

        Assert.Equal(before, NamedMemory());
    }

    [SkippableTheory]
    [InlineData(true), InlineData(false)]
    public async Task A_stopped_rank_is_named_at_the_deadline(bool sharesMemory)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "SIGSTOP has another number elsewhere");
        using var processes = new ProcessRanks(2, sharesMemory, deadline: TimeSpan.FromSeconds(1));
        processes.Await(1, 2);
        processes.Stop(1);
        Assert.Equal("fault Silent 1 intact", await processes.End(0));
    }

    private static string[] NamedMemory() => [.. Directory.GetFileSystemEntries("/dev/shm").Order()];

    /// <summary>Lines of /proc/PID/maps about memory that is shared and can be written.</summary>
    private static IEnumerable<string> SharedMappings(int processId) =>
        File.ReadLines($"/proc/{processId}/maps").Where(line => line.Contains(" rw-s ", StringComparison.Ordinal));
}
