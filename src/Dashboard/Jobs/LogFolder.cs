using System.Collections.Immutable;
using System.Text;
using Cluster.Contracts;
using Cluster.Contracts.Api;

namespace Cluster.Dashboard.Jobs;

/// <summary>
/// The logs of a job, <c>logs/WORKER.log</c>, read while workers write them. Each read is bounded, whatever the files' sizes.
/// Links are not followed, so nothing outside the folder can be read.
/// </summary>
/// <param name="worker">The only one to read; null for all.</param>
internal sealed class LogFolder(string path, string? worker)
{
    /// <summary>Of all files together, in one read.</summary>
    public const int MaxBytes = 1 << 20;

    private const int MaxFiles = 1024;

    private const string Extension = ".log";

    /// <summary>Whether there is anything to read.</summary>
    public bool Exists => Files().Count > 0;

    /// <summary>Where the newest lines begin that fit into one read.</summary>
    /// <param name="isTruncated">Whether there are older ones.</param>
    public LogCursor Tail(out bool isTruncated)
    {
        var files = Files();
        var share = MaxBytes / Math.Max(1, files.Count);
        var cursor = LogCursor.Start;
        isTruncated = false;
        foreach (var file in files.Where(file => file.Length > share))
        {
            isTruncated = true;
            using var stream = Open(file);
            stream.Position = file.Length - share - 1; // One before: a line may begin exactly at the share.
            var bytes = new byte[share + 1];
            var lineEnd = bytes.AsSpan(0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)).IndexOf((byte)'\n');
            cursor = cursor.With(WorkerOf(file), file.Length - share - 1 + (lineEnd < 0 ? 0 : lineEnd + 1));
        }

        return cursor;
    }

    /// <summary>The whole lines behind the cursor, as many as one read takes, and where the next read goes on.</summary>
    /// <param name="isLast">Nothing more will be written: a last line without an end counts as one.</param>
    public (ImmutableArray<LogLine> Lines, LogCursor Next) Read(LogCursor from, bool isLast)
    {
        var lines = ImmutableArray.CreateBuilder<LogLine>();
        var files = Files();
        var share = MaxBytes / Math.Max(1, files.Count);
        foreach (var file in files)
        {
            var name = WorkerOf(file);
            var at = from.Of(name) is var known && known <= file.Length ? known : 0; // Begun anew.
            if (at == file.Length) { continue; }

            using var stream = Open(file);
            stream.Position = at;
            var bytes = new byte[Math.Min(share, file.Length - at)];
            var read = bytes.AsSpan(0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
            var whole = read.LastIndexOf((byte)'\n') + 1;
            if (isLast && at + read.Length == file.Length) { whole = read.Length; }
            if (whole == 0 && read.Length == share) { whole = share; } // A line longer than a read comes in pieces.
            if (whole == 0) { continue; }

            var text = Encoding.UTF8.GetString(read[..whole]);
            foreach (var line in text.TrimEnd('\n').Split('\n')) { lines.Add(new LogLine(name, line.TrimEnd('\r'))); }
            from = from.With(name, at + whole);
        }

        return (lines.ToImmutable(), from);
    }

    private IReadOnlyList<FileInfo> Files()
    {
        var folder = new DirectoryInfo(path);
        if (!folder.Exists || folder.LinkTarget is not null) { return []; }
        return
        [
            .. folder.EnumerateFiles(worker is null ? $"*{Extension}" : worker + Extension)
                .Where(file => file.LinkTarget is null && Ids.IsValid(WorkerOf(file)))
                .OrderBy(file => file.Name, StringComparer.Ordinal)
                .Take(MaxFiles),
        ];
    }

    private static string WorkerOf(FileInfo file) => file.Name[..^Extension.Length];

    private static FileStream Open(FileInfo file) => new(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
}
