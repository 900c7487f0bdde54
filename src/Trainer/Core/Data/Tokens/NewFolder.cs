using Cluster.Contracts;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>
/// A folder that comes whole or not at all: it is filled beside its place and renamed into it. What a run that was stopped left beside
/// it, the next one removes.
/// </summary>
internal static class NewFolder
{
    /// <summary>The full path of a place where nothing is yet.</summary>
    /// <exception cref="BadInputException">Something is there.</exception>
    public static string PlaceOf(string folder)
    {
        var place = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        return Path.Exists(place) ? throw new BadInputException($"--out: {folder} exists already; allowed: a new folder, since jobs may be using what is there") : place;
    }

    /// <param name="place">See <see cref="PlaceOf"/>.</param>
    /// <param name="fill">Writes the content into the folder that it is given. Where it throws, nothing is left behind.</param>
    public static async Task<T> WriteAsync<T>(string place, Disk disk, Func<string, Task<T>> fill)
    {
        var beside = $"{place}.tokens-partial";
        if (Directory.Exists(beside)) { Directory.Delete(beside, recursive: true); }
        disk.CreateDirectory(beside);
        try
        {
            var filled = await fill(beside);
            disk.SyncDirectory(beside);
            disk.MoveDirectory(beside, place);
            disk.SyncDirectory(Path.GetDirectoryName(place)!);
            return filled;
        }
        catch
        {
            if (Directory.Exists(beside)) { Directory.Delete(beside, recursive: true); }
            throw;
        }
    }
}
