using System.Globalization;
using System.Security.Cryptography;

namespace Cluster.Grains.Storage;

/// <summary>
/// Names one write of a row. Drawn at random from 63 bits, not counted, so that one from before a row was removed never fits
/// the row that came after.
/// </summary>
internal static class Etag
{
    public static long Draw() => BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long))) & long.MaxValue;

    public static string Text(long etag) => etag.ToString(CultureInfo.InvariantCulture);

    /// <returns>-1, which no row has, for text that is no etag of this store.</returns>
    public static long Parse(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var etag) ? etag : -1;
}
