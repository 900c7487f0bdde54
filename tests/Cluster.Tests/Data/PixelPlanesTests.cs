using Cluster.Trainer.Core.Data;

namespace Cluster.Tests.Data;

public sealed class PixelPlanesTests
{
    [Fact]
    public void Brightness_weighs_the_colours_and_rounds()
    {
        byte[] colours = [255, 0, 0, 10, 255, 255, 255, 1, 255, 0, 255, 2, 0, 255, 0, 10, 0, 255, 0, 1, 0, 0, 255, 4]; // Two images of four pixels: red, green, blue.
        Assert.Equal([255, 150, 179, 4, 0, 226, 29, 4], PixelPlanes.Brightness(colours, plane: 4));
    }

    [Fact]
    public void The_middle_is_cut_out_of_each_plane()
    {
        byte[] planes = [.. Enumerable.Range(0, 32).Select(i => (byte)i)]; // Two of 4x4.
        Assert.Equal([5, 6, 9, 10, 21, 22, 25, 26], PixelPlanes.Middle(planes, side: 4, middle: 2));
        Assert.Equal([0, 1, 2, 4, 5, 6, 8, 9, 10, 16, 17, 18, 20, 21, 22, 24, 25, 26], PixelPlanes.Middle(planes, side: 4, middle: 3));
        Assert.Same(planes, PixelPlanes.Middle(planes, side: 4, middle: 4));
    }
}
