using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Dashboard.Jobs;

namespace Cluster.Dashboard.Api;

/// <summary>What a spec that comes in names of files: the uploads must be there, and which module it is becomes part of the job.</summary>
internal static class NamedFiles
{
    /// <summary>Uploads that are not there, each with its key.</summary>
    public static IReadOnlyList<SpecProblem> Missing(JobSpec spec, UploadFolder uploads) =>
    [
        .. from named in UploadChecks.NamedIn(spec)
           where uploads.Find(named.Name) is null
           select new SpecProblem("spec", Line: 0, named.Key, $"\"{Uploads.Prefix}{named.Name}\", which was not uploaded", "a file that 'cluster uploads' lists"),
    ];

    /// <summary>The spec with its module's hash.</summary>
    /// <exception cref="ApiRefusal">An upload is missing or another one than the spec says, or a module that is no upload has no hash.</exception>
    public static JobSpec Record(JobSpec spec, UploadFolder uploads)
    {
        if (Missing(spec, uploads) is { Count: > 0 } problems) { throw Refusal(problems); }
        if (spec.Model is not ModelSpec.TorchScript model) { return spec; }
        var found = Uploads.NameOf(model.File) is { } name ? uploads.Find(name)?.Sha256 : model.Sha256;
        if (found is null)
        {
            throw ApiRefusal.Wrong($"the spec's model.sha256 is needed: the SHA-256 of {model.File}, which 'cluster submit' records where it finds the file. Without it a changed file could not be told from this one");
        }

        return model.Sha256 is null || model.Sha256 == found
            ? spec with { Model = model with { Sha256 = found } }
            : throw ApiRefusal.Wrong($"the spec's model.sha256 is {model.Sha256}, but {model.File} is another file, with {found}");
    }

    /// <summary>Where workers look for uploads; nowhere, for a spec that names none.</summary>
    public static IEnumerable<string> RootsOf(JobSpec spec, UploadFolder uploads) => UploadChecks.NamedIn(spec).Any() ? [uploads.Path] : [];

    public static ApiRefusal Refusal(IReadOnlyList<SpecProblem> problems) =>
        new(StatusCodes.Status400BadRequest, "The spec is wrong", string.Join('\n', problems), problems);
}
