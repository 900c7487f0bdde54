using System.Security.Cryptography;
using System.Text;

namespace Cluster.Contracts.Spec;

/// <summary>Names what determines a job's final weights. Two specs with the same hash give the same answer.</summary>
public static class SpecHash
{
    /// <summary>
    /// SHA-256, in 64 lower-case hex digits, of one line <c>key.path=value</c> for each key that is used and has a value, defaults
    /// included, sorted by ordinal. Keys outside the answer (<see cref="OutsideAnswerAttribute"/>: name, workers, checkpoint,
    /// evaluate, names of stages, what workers share out) have none. How the file was written, its order and its comments do not matter.
    /// </summary>
    public static string Of(JobSpec spec)
    {
        var lines = Lines(spec, path: "").Order(StringComparer.Ordinal);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))));
    }

    private static IEnumerable<string> Lines(object value, string path) => SpecText.Items(value) switch
    {
        { Count: 0 } => [$"{path}=[]"],
        { } items => items.SelectMany((item, i) => Lines(item, $"{path}[{i}]")),
        null when SpecScalars.IsScalar(value.GetType()) => [$"{path}={SpecText.Scalar(value)}"],
        null => SpecText.Keys(value).Where(k => !k.OutsideAnswer).SelectMany(k => Lines(k.Value, SpecPath.Join(path, k.Name))),
    };
}
