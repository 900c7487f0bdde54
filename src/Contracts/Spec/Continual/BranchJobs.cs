using System.Security.Cryptography;
using System.Text;

namespace Cluster.Contracts.Spec.Continual;

/// <summary>The jobs in which releases anneal apart: id, folder and spec follow from the trunk's, so that the same release is the same job.</summary>
public static class BranchJobs
{
    private const int HashCharacters = 16;

    /// <summary><c>TRUNK.RELEASE</c>; where that would be too long, its beginning and 64 bits of its SHA-256.</summary>
    public static string IdOf(string trunk, string release)
    {
        var id = $"{trunk}.{release}";
        return id.Length <= Ids.MaxLength
            ? id
            : $"{id[..(Ids.MaxLength - HashCharacters - 1)]}.{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..HashCharacters]}";
    }

    /// <summary>Beside the trunk's folder.</summary>
    public static string FolderOf(string trunkFolder, string branch) =>
        Path.Combine(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(trunkFolder)) ?? "", branch);

    /// <summary>The trunk's spec, as the branch of one release.</summary>
    /// <param name="trunkFolder">As the workers see it.</param>
    public static JobSpec SpecOf(JobSpec trunk, Fork fork, string trunkId, string trunkFolder) => trunk with
    {
        Workers = fork.Workers,
        Continual = trunk.Continual! with
        {
            BranchOf = new() { Job = trunkId, Release = fork.Release.Name, Checkpoint = Path.Combine(trunkFolder, JobLayout.Checkpoints, JobLayout.CheckpointOf(fork.Round)) },
        },
    };

    /// <summary>The folders of a trunk's branches that are there, in the order of their forks.</summary>
    /// <param name="trunkFolder">Its name is the trunk's id.</param>
    public static IEnumerable<string> FoldersOf(ContinualSpec trunk, string trunkFolder)
    {
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(trunkFolder));
        return ContinualPlan.Of(trunk).Forks.Select(fork => FolderOf(folder, IdOf(Path.GetFileName(folder), fork.Release.Name))).Where(Directory.Exists);
    }
}
