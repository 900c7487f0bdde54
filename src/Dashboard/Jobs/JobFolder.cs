using Cluster.Contracts;
using Cluster.Dashboard.Api;

namespace Cluster.Dashboard.Jobs;

/// <summary>
/// A job's place in the store: <c>STORE/jobs/ID/</c> with <c>spec.yaml</c>, <c>checkpoints/</c> and <c>logs/</c>. Its path is
/// made of the id alone, which is a plain file name.
/// </summary>
internal sealed class JobFolder(string store, string id)
{
    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetFullPath(store), JobLayout.Jobs, id);

    public string Logs => System.IO.Path.Combine(Path, JobLayout.Logs);

    public string Checkpoints => System.IO.Path.Combine(Path, JobLayout.Checkpoints);

    /// <exception cref="ApiRefusal">The store cannot be written to.</exception>
    public void Create() => Do(() => Directory.CreateDirectory(Path));

    /// <summary>Takes back what <see cref="Create"/> did, and never more: a job of the same id may be using the folder.</summary>
    public void RemoveIfEmpty()
    {
        try { Directory.Delete(Path, recursive: false); }
        catch (IOException) { } // Not empty, or gone: either is as it should be.
    }

    /// <summary>For people, and for going on by hand. Written again by a repeated submission, with the same bytes.</summary>
    /// <exception cref="ApiRefusal">The store cannot be written to.</exception>
    public void WriteSpec(string text) => Do(() =>
    {
        Directory.CreateDirectory(Logs);
        var partial = System.IO.Path.Combine(Path, $".spec.partial-{Guid.NewGuid():N}");
        File.WriteAllText(partial, text);
        File.Move(partial, System.IO.Path.Combine(Path, JobLayout.Spec), overwrite: true);
    });

    private void Do(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ApiRefusal(StatusCodes.Status507InsufficientStorage, "The store cannot be written to", $"the job's folder {Path} cannot be written: {e.Message}");
        }
    }
}
