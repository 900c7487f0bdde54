using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;

namespace Cluster.Trainer.Core.Models;

/// <summary>The file of a TorchScript module: where it lies, and which one it is. It is found as data files are.</summary>
internal static class ScriptFile
{
    /// <summary>The file, and what it holds once unpacked: it is read into memory, and libtorch makes a copy.</summary>
    public const long MaxBytes = 1L << 30;

    /// <summary>All bytes of it, and their SHA-256 in 64 lower-case hex digits.</summary>
    /// <exception cref="BadInputException">It is missing, cannot be read, is too large, or is not the recorded one.</exception>
    public static (string Path, byte[] Bytes, string Sha256) Read(ModelSpec.TorchScript model, IReadOnlyList<string> roots)
    {
        var path = DataSearch.FindFile(model.File, roots);
        using var file = DataFile.OpenRaw(path);
        var bytes = file.ReadAll(MaxBytes);
        var found = Convert.ToHexStringLower(SHA256.HashData(bytes));
        return model.Sha256 is null || model.Sha256 == found ? (path, bytes, found) : throw new BadInputException(
            $"model.file: {path} changed since it was recorded: its SHA-256 is {found}; recorded was {model.Sha256}. Give the job the file it was begun with, or begin another job");
    }

    /// <summary>The spec with the hash of its model's file, so that the file is part of the answer wherever it lies; one that is there is compared.</summary>
    /// <param name="whereFound">A file that is not here stays unrecorded: the cluster may have it.</param>
    /// <exception cref="BadInputException">It is missing, or is not the recorded one.</exception>
    public static JobSpec Record(JobSpec spec, IReadOnlyList<string> roots, bool whereFound = false) =>
        spec.Model is not ModelSpec.TorchScript model || (whereFound && !IsThere(model, roots))
            ? spec
            : spec with { Model = model with { Sha256 = Read(model, roots).Sha256 } };

    private static bool IsThere(ModelSpec.TorchScript model, IReadOnlyList<string> roots)
    {
        try { return DataSearch.FindFile(model.File, roots).Length > 0; }
        catch (BadInputException) { return false; }
    }
}
