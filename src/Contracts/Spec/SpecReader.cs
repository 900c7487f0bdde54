using System.Text;

namespace Cluster.Contracts.Spec;

/// <summary>
/// Reads a spec strictly: every key is known, every value is allowed, nothing given is ignored. Reports all problems at once and
/// throws for none of them.
/// </summary>
public static class SpecReader
{
    public const int MaxBytes = 1 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="path">A YAML file of at most <see cref="MaxBytes"/>.</param>
    /// <param name="overrides">As in <see cref="Read"/>.</param>
    public static SpecResult ReadFile(string path, IReadOnlyList<string>? overrides = null)
    {
        try
        {
            using var file = File.OpenRead(path);
            var bytes = new byte[MaxBytes + 1];
            var read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return read > MaxBytes
                ? Failed(path, "more than 1 MiB", "a file of at most 1 MiB")
                : Read(StrictUtf8.GetString(bytes, 0, read), path, overrides);
        }
        catch (DecoderFallbackException)
        {
            return Failed(path, "bytes that are not UTF-8", "a text file in UTF-8");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Failed(path, "no such file", "the path of a YAML file");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return Failed(path, $"a file that cannot be read ({e.Message})", "the path of a YAML file");
        }
    }

    /// <param name="yaml">The text of the spec.</param>
    /// <param name="fileName">What messages call it.</param>
    /// <param name="overrides">Each <c>key.path=value</c>, applied in order before anything is checked.</param>
    public static SpecResult Read(string yaml, string fileName, IReadOnlyList<string>? overrides = null)
    {
        if (yaml.Length > MaxBytes)
        {
            return Failed(fileName, "more than 1 MiB", "a file of at most 1 MiB");
        }

        var report = new SpecReport();
        var start = new Place(fileName, 1);
        var tree = SpecParser.Parse(yaml, start, report);
        if (tree is not SpecNode.Mapping root)
        {
            if (report.Count == 0)
            {
                var found = tree is null or SpecNode.Scalar { IsNull: true } ? "an empty file" : tree.InWords;
                report.Wrong("", start, found, SpecRules.InWords(typeof(JobSpec), [], isName: false));
            }

            return new(null, report.Problems());
        }

        foreach (var change in overrides ?? [])
        {
            SpecOverrides.Apply(root, change, report);
        }

        return Bind(root, report);
    }

    /// <summary>The tree as a spec, checked; with whatever was wrong before.</summary>
    internal static SpecResult Bind(SpecNode.Mapping root, SpecReport report)
    {
        var spec = new SpecBinder(report).Record<JobSpec>(root);
        SpecChecks.All(spec, report);
        return new(report.Count == 0 ? spec : null, report.Problems());
    }

    private static SpecResult Failed(string source, string found, string allowed) =>
        new(null, [new SpecProblem(source, 0, "", found, allowed)]);
}
