namespace Cluster.Trainer.Core.Data;

/// <summary>Images made from the bytes of others.</summary>
internal static class PixelPlanes
{
    /// <summary>⌊0.299·red + 0.587·green + 0.114·blue + 1/2⌋ of each pixel (ITU-R BT.601), in whole numbers.</summary>
    /// <param name="colours">[count, 3, <paramref name="plane"/>], red, green and blue.</param>
    /// <returns>[count, <paramref name="plane"/>].</returns>
    public static byte[] Brightness(ReadOnlySpan<byte> colours, int plane)
    {
        var brightness = new byte[colours.Length / 3];
        for (var i = 0; i < brightness.Length; i++)
        {
            var red = (i / plane * 3 * plane) + (i % plane);
            brightness[i] = (byte)(((299 * colours[red]) + (587 * colours[red + plane]) + (114 * colours[red + (2 * plane)]) + 500) / 1000);
        }

        return brightness;
    }

    /// <summary>The middle of each square plane; where what is cut off is odd, one pixel less of it lies above and to the left.</summary>
    /// <param name="pixels">[planes, <paramref name="side"/>, <paramref name="side"/>].</param>
    /// <returns>[planes, <paramref name="middle"/>, <paramref name="middle"/>]; the same array where nothing is cut off.</returns>
    public static byte[] Middle(byte[] pixels, int side, int middle)
    {
        if (middle == side) { return pixels; }
        var planes = pixels.Length / (side * side);
        var margin = (side - middle) / 2;
        var cut = new byte[planes * middle * middle];
        for (var row = 0; row < planes * middle; row++)
        {
            var from = (row / middle * side * side) + ((margin + (row % middle)) * side) + margin;
            pixels.AsSpan(from, middle).CopyTo(cut.AsSpan(row * middle));
        }

        return cut;
    }
}
