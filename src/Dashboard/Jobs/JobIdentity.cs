using System.Security.Cryptography;
using System.Text;

namespace Cluster.Dashboard.Jobs;

/// <summary>Ids of jobs: the spec's name, for people, and 50 bits as ten characters of base 32 (RFC 4648, lower case).</summary>
internal static class JobIdentity
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    private const int Characters = 10;

    /// <summary>The same for the same name and token.</summary>
    public static string Of(string name, string token) => Of(name, SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    public static string New(string name) => Of(name, RandomNumberGenerator.GetBytes(32));

    private static string Of(string name, byte[] bytes)
    {
        var bits = BitConverter.ToUInt64(bytes);
        var suffix = Enumerable.Range(0, Characters).Select(i => Alphabet[(int)(bits >> (5 * i)) & 31]);
        return $"{name}-{string.Concat(suffix)}";
    }
}
