namespace Cluster.Contracts.Spec;

/// <summary>Rules of the model kind torchscript.</summary>
internal static class ScriptChecks
{
    public static void All(JobSpec spec, SpecReport report)
    {
        if (spec.Model is not ModelSpec.TorchScript model) { return; }
        if (model.File is { } file && Uploads.NameOf(file) is null && !IsWithin(file))
        {
            report.Broken("model.file", Quote.Show(file), $"a path within a data folder, relative and without '..', or {Uploads.Prefix}NAME");
        }

        HashChecks.Sha256(model.Sha256, "model.sha256", report);
        if (spec.Precision != Precision.Float32) { report.Broken("precision", SpecNames.Of(spec.Precision), "float32 with model.kind torchscript", "model.kind"); }
        if (spec.Device != DeviceKind.Cpu) { report.Broken("device", SpecNames.Of(spec.Device), "cpu with model.kind torchscript", "model.kind"); }
    }

    /// <summary>A module is a program: which one is run must not be for a spec to choose among all files of a machine.</summary>
    private static bool IsWithin(string path) =>
        path.Length > 0 && !Path.IsPathRooted(path) && !path.Contains(':', StringComparison.Ordinal) && !path.Split('/', '\\').Contains("..");
}
