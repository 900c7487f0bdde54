using System.Runtime.InteropServices;
using Cluster.Contracts.Spec;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Native;

/// <summary>
/// oneDNN computes libtorch's convolutions on a CPU. On machines where it goes wrong, it is switched off for models with
/// convolutions that it gets wrong, and libtorch's own code takes its place: about three times slower, and right.
/// </summary>
/// <remarks>
/// Seen with oneDNN 3.7.1 (libtorch 2.10) on virtual machines that hide the processor's caches (CPUID leaf 0x8000001D of an AMD
/// EPYC all zeros; Linux then has no <c>/sys/devices/system/cpu/cpu0/cache</c>). It packs weights in blocks of 16 channels (8 without
/// AVX-512). Where the channels do not fill the blocks, it neither writes the padding that it later reads, nor, where both input
/// and output do not, all of the weights: forward and backward are off by tenths of their norm, or NaN, without an error. What is
/// left in the memory decides, so trying a convolution proves little; but the loss of weights shows every time.
/// The switch belongs to the process, so a model sets it whenever it computes.
/// </remarks>
internal static partial class OneDnn
{
    private const int Block = 16;

    private static readonly Lazy<bool> s_losesWeights = new(LosesWeights);

    static OneDnn()
    {
        // The next in line: it has no kernels for most processors, and says so at every call.
        if (!OperatingSystem.IsWindows()) { SetUserEnabledNnpack(GlobalContext(), on: false); }
    }

    /// <summary>Whether oneDNN computes the convolutions of this process now.</summary>
    public static bool IsOn { get; private set; } = true;

    /// <summary>Does nothing on Windows, whose libtorch exports the switch under another name.</summary>
    public static void Use(bool on)
    {
        if (on == IsOn || OperatingSystem.IsWindows()) { return; }
        SetUserEnabledMkldnn(GlobalContext(), on);
        IsOn = on;
    }

    /// <summary>Whether it computes the convolutions with these weights, and their gradients, right on this machine.</summary>
    /// <param name="weights">In the order of the network: the first one's gradient by its input is not needed. Only tensors of four dimensions count.</param>
    public static bool IsRightFor(IEnumerable<Tensor> weights, Precision precision)
    {
        var shapes = weights.Where(w => w.Dimensions == 4 && w.device_type == DeviceType.CPU).Select(w => (Output: w.shape[0], Input: w.shape[1])).ToArray();
        return shapes.Length == 0 || !s_losesWeights.Value
            || (precision == Precision.Float32 && shapes.Index().All(s => Fills(s.Item.Output, isFirst: s.Index == 0) && (s.Item.Input < Block || Fills(s.Item.Input))));

        static bool Fills(long channels, bool isFirst = false) => isFirst || channels % Block == 0;
    }

    /// <summary>Neither 20 input nor 20 output channels fill a block: the float64 code, which is never oneDNN's, says what comes out.</summary>
    private static bool LosesWeights()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Use(true);
        var (x, w) = (Wave(16, 20, 6, 6), Wave(20, 20, 3, 3)); // Below 16 samples libtorch may not ask oneDNN.
        var exact = Convolve(ScalarType.Float64);
        return !(((Convolve(ScalarType.Float32).to(ScalarType.Float64) - exact).norm() / exact.norm()).item<double>() < 1e-4); // So for NaN.

        Tensor Convolve(ScalarType type) => nn.functional.conv2d(x.to(type), w.to(type), padding: [1, 1]);
    }

    /// <summary>Numbers without a pattern that a mistake could hide behind, and without touching torch's generator.</summary>
    private static Tensor Wave(params long[] shape) => arange(Number(shape.Aggregate((a, b) => a * b)), dtype: ScalarType.Float32).mul(Number(0.7)).sin().view(shape);

    // at::Context& at::globalContext()
    [LibraryImport("torch_cpu", EntryPoint = "_ZN2at13globalContextEv")]
    private static partial nint GlobalContext();

    // void at::Context::setUserEnabledMkldnn(bool)
    [LibraryImport("torch_cpu", EntryPoint = "_ZN2at7Context20setUserEnabledMkldnnEb")]
    private static partial void SetUserEnabledMkldnn(nint context, [MarshalAs(UnmanagedType.U1)] bool on);

    // void at::Context::setUserEnabledNNPACK(bool)
    [LibraryImport("torch_cpu", EntryPoint = "_ZN2at7Context20setUserEnabledNNPACKEb")]
    private static partial void SetUserEnabledNnpack(nint context, [MarshalAs(UnmanagedType.U1)] bool on);
}
