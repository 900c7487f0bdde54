using Cluster.Contracts.Spec;

namespace Cluster.Trainer.Core.BlackBoxes;

/// <summary>The black boxes that a spec asks for.</summary>
internal static class BlackBoxFactory
{
    /// <param name="layer">From 0: each layer has a box of its own.</param>
    /// <exception cref="Contracts.BadInputException">The address of a device is none.</exception>
    public static MeasuredBox Create(BoxSpec spec, int layer, int width, long seed)
    {
        var own = (long)Seeds.Derive(seed, SeedPurpose.BlackBox, layer);
        IBlackBox box = spec switch
        {
            BoxSpec.Smooth smooth => new SmoothBox(own, width, smooth.Noise, smooth.Drift),
            BoxSpec.Quantised quantised => new QuantisedBox(own, width, quantised.Noise, quantised.Drift),
            BoxSpec.Table table => new TableBox(own, width, table.Entries, table.Noise, table.Drift),
            BoxSpec.Device device => new DeviceBox(device.Address, TimeSpan.FromMilliseconds(device.DeadlineMs)),
            _ => throw new ArgumentOutOfRangeException(nameof(spec), spec, "not a black box"),
        };
        return new MeasuredBox(box, $"the black box of layer {layer + 1}");
    }
}
