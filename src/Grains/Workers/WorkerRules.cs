using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Workers;

/// <summary>What a worker may say about itself.</summary>
internal static class WorkerRules
{
    /// <exception cref="ArgumentException">It says something impossible: the worker has a bug.</exception>
    public static void Check(string key, WorkerInfo worker)
    {
        if (worker.Id != key || !Names.IsId(worker.Id))
        {
            throw new ArgumentException($"Worker id '{Names.Cut(worker.Id, Names.MaxLength)}' must be the key '{key}' and {Names.Rule}.", nameof(worker));
        }

        if (worker.Site is null || (worker.Site.Length > 0 && !Names.IsId(worker.Site)))
        {
            throw new ArgumentException($"Worker {key} says that its site is '{worker.Site}': it must be {Names.Rule}.", nameof(worker));
        }

        if (worker is not { Port: >= 1 and <= 65535, Host.Length: > 0 and <= 255, Cores: >= 1, Gpus: >= 0, MemoryBytes: >= 0, ProcessId: >= 0 })
        {
            throw new ArgumentException($"Worker {key} describes itself impossibly: {worker}.", nameof(worker));
        }
    }
}
