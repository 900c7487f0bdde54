using Cluster.Trainer.Core.Data;

namespace Cluster.Tests.Data;

public sealed class PixelScaleTests
{
    [Theory, InlineData(1), InlineData(15), InlineData(64), InlineData(256), InlineData(300)]
    public void Every_length_gives_the_bits_of_the_formula(int length)
    {
        var scale = PixelScale.Standardise(0.1307, 0.3081);
        byte[] pixels = [.. Enumerable.Range(0, length).Select(i => (byte)i)];
        var values = new float[length];
        scale.Apply(pixels, values);
        for (var i = 0; i < length; i++)
        {
            float product = pixels[i] * scale.Factor;
            Assert.Equal(product + scale.Shift, values[i]);
        }
    }

    [Fact]
    public void The_ends_of_the_range_are_where_they_should_be()
    {
        var values = new float[2];
        PixelScale.ToUnit(16).Apply([0, 16], values);
        Assert.Equal([0f, 1f], values);
        PixelScale.Standardise(0.5, 0.25).Apply([0, 255], values);
        Assert.Equal(-2f, values[0], 6);
        Assert.Equal(2f, values[1], 6);
    }
}
