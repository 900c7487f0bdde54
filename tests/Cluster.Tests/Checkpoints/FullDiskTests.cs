using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Tests.Checkpoints;

/// <summary>
/// A disk that is really full: a tmpfs of a few pages, mounted in another process's own mount namespace and reached through
/// <c>/proc/PID/root</c>, so that nothing is mounted on the machine.
/// </summary>
public sealed class FullDiskTests
{
    [SkippableFact]
    public void A_full_disk_costs_the_checkpoint_and_nothing_else()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "mount namespaces are Linux's");
        using var small = SmallDisk.Mount(bytes: 64 << 10);
        using var fixture = new CheckpointFixture { JobDirectory = small.Path };
        using var writer = fixture.Open(keep: 9);
        writer.Save(CheckpointFixture.State(1), 1, 64);

        var saved = 1;
        CheckpointFailedException? full = null;
        for (var round = 2; full is null && round < 100; round++)
        {
            try { saved = (int)writer.Save(CheckpointFixture.State(round), round, 64).Round; }
            catch (CheckpointFailedException e) { full = e; }
        }

        Assert.Matches($@"^The checkpoint of round {saved + 1} was not saved: No space left on device : '.*' \(it needs 1\.\d KiB, .* free there\)\. The checkpoints before it are as they were\.$", full!.Message);
        Assert.Equal(Enumerable.Range(1, saved).Select(r => JobLayout.CheckpointOf(r)), fixture.Names());
        Assert.Equal(saved, fixture.Find(CheckpointFixture.EmptyState()).Found!.Manifest.Round);

        Directory.Delete(Path.Combine(fixture.Folder, JobLayout.CheckpointOf(1)), recursive: true);
        Assert.Equal(saved + 2, writer.Save(CheckpointFixture.State(saved + 2), saved + 2, 64).Round); // Room again.
    }

    private sealed class SmallDisk : IDisposable
    {
        private readonly Process _holder;
        private readonly string _mountPoint;

        private SmallDisk(Process holder, string mountPoint)
        {
            _holder = holder;
            _mountPoint = mountPoint;
        }

        public string Path => $"/proc/{_holder.Id}/root{_mountPoint}/job";

        public static SmallDisk Mount(int bytes)
        {
            var mountPoint = Directory.CreateTempSubdirectory("cluster-small-disk-").FullName;
            var script = $"mount -t tmpfs -o size={bytes} none '{mountPoint}' && mkdir '{mountPoint}/job' && echo mounted && read line";
            string[] arguments = Environment.IsPrivilegedProcess ? ["-m", "sh", "-c", script] : ["-U", "-r", "-m", "sh", "-c", script];
            Process? holder = null;
            try
            {
                holder = Process.Start(new ProcessStartInfo("unshare", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
            }
            catch (System.ComponentModel.Win32Exception)
            {
            }

            if (holder?.StandardOutput.ReadLine() == "mounted") { return new SmallDisk(holder, mountPoint); }
            var reason = holder?.StandardError.ReadToEnd() ?? "unshare is not installed";
            Directory.Delete(mountPoint);
            throw new SkipException($"a small tmpfs could not be mounted: {reason.Trim()}");
        }

        public void Dispose()
        {
            _holder.StandardInput.Close(); // The shell ends, and with it its namespace and the disk.
            _holder.WaitForExit();
            _holder.Dispose();
            Directory.Delete(_mountPoint);
        }
    }
}
