using Cluster.Contracts;

namespace Cluster.Cli.Up;

/// <summary>
/// One cluster a store: whoever holds the lock on <c>STORE/cluster.lock</c> runs it. The system lets go of the lock when its
/// holder ends, however it ends; the file itself stays.
/// </summary>
internal sealed class StoreLock : IDisposable
{
    private readonly FileStream _file;

    private StoreLock(FileStream file) => _file = file;

    /// <exception cref="BadInputException">Somebody else holds it, or there can be no store there.</exception>
    public static StoreLock Take(string store)
    {
        try
        {
            Directory.CreateDirectory(store);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BadInputException($"--store: {store} cannot hold a cluster: {(File.Exists(store) ? "it is a file, not a folder" : e.Message)}");
        }

        return TryTake(store) ?? throw new BadInputException(AddressFile.Read(store) is { } holder
            ? $"--store: {store} is in use by the cluster at {holder}: end it with 'cluster down --store {store}', or choose another store"
            : $"--store: {store} is in use by a cluster that is starting or ending, or by another user's: try again, or choose another store");
    }

    /// <summary>Null when somebody holds it.</summary>
    public static StoreLock? TryTake(string store)
    {
        var path = Path.Combine(store, "cluster.lock");
        try
        {
            return new StoreLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }

    public void Dispose() => _file.Dispose();
}
