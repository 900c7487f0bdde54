using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Core.Models;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// What a stage's files are: their length and the SHA-256 of their bytes, one file after the other. Recorded when a job is handed
/// in, and compared wherever the data are opened, so that no stage quietly becomes another. Of tokens it is the manifest's alone, which
/// holds the hashes of the shards.
/// </summary>
/// <param name="Sha256">64 lower-case hex digits.</param>
internal sealed record DataRecord(long Bytes, string Sha256)
{
    private const int BlockBytes = 1 << 20;

    /// <exception cref="BadInputException">A file is missing or cannot be read.</exception>
    public static DataRecord Of(DataSpec data, IReadOnlyList<string> roots) => OfFiles(DataSets.FilesOf(data, roots));

    /// <summary>Of files as they lie on the disk, one after the other.</summary>
    /// <exception cref="BadInputException">A file is missing or cannot be read.</exception>
    public static DataRecord OfFiles(IReadOnlyList<string> paths)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var bytes = 0L;
        var block = new byte[BlockBytes];
        foreach (var path in paths)
        {
            using var file = DataFile.OpenRaw(path);
            for (var read = file.Read(block); read > 0; read = file.Read(block))
            {
                hash.AppendData(block, 0, read);
                bytes += read;
            }
        }

        return new DataRecord(bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <summary>The spec with the record of its model's file and of every stage that has none yet; those that have one are compared.</summary>
    /// <param name="whereFound">What is not here stays as it is: the workers may have it.</param>
    /// <exception cref="BadInputException">A file is missing, or is not the recorded one.</exception>
    public static JobSpec Record(JobSpec spec, IReadOnlyList<string> roots, bool whereFound = false)
    {
        spec = ScriptFile.Record(spec, roots, whereFound);
        if (spec.Continual is not { } continual) { return spec; }
        return spec with { Continual = continual with { Stages = [.. continual.Stages.Select(stage => Record(stage, roots, whereFound))] } };
    }

    /// <summary>The same for one stage.</summary>
    public static ContinualStageSpec Record(ContinualStageSpec stage, IReadOnlyList<string> roots, bool whereFound = false)
    {
        if (whereFound && !DataSets.AreThere(stage.Data, roots)) { return stage; }
        try
        {
            var found = Check(stage, roots);
            return stage with { Bytes = found.Bytes, Sha256 = found.Sha256 };
        }
        catch (BadInputException wrong)
        {
            throw new BadInputException($"stage '{stage.Name}': {wrong.Message}");
        }
    }

    /// <exception cref="BadInputException">The files are not the recorded ones; the message has both.</exception>
    public static DataRecord Check(ContinualStageSpec stage, IReadOnlyList<string> roots)
    {
        var found = Of(stage.Data, roots);
        if ((stage.Sha256 ?? found.Sha256, stage.Bytes ?? found.Bytes) == (found.Sha256, found.Bytes)) { return found; }
        throw new BadInputException(
            $"the data changed since they were recorded: {string.Join(", ", DataSets.FilesOf(stage.Data, roots))} now {(found.Bytes == 1 ? "has 1 byte" : $"have {found.Bytes:N0} bytes")} with SHA-256 {found.Sha256}; recorded were {stage.Bytes ?? found.Bytes:N0} bytes with {stage.Sha256 ?? "any hash"}. Give the stage the data it was recorded with, or add the changed ones as a stage of their own");
    }
}
