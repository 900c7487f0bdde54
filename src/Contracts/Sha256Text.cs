namespace Cluster.Contracts;

/// <summary>SHA-256 as it is written here: 64 lower-case hex digits.</summary>
public static class Sha256Text
{
    private const int Length = 64;

    public static bool IsValid(string text) => text.Length == Length && text.All(char.IsAsciiHexDigitLower);
}
