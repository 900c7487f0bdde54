using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Native;

/// <summary>
/// oneDNN computes libtorch's convolutions on a CPU. Where it does so wrongly, it is switched off for the whole process, and
/// libtorch's own code takes its place: about three times slower, and right.
/// </summary>
/// <remarks>
/// Seen with oneDNN 3.7.1 (libtorch 2.10) on virtual machines that hide the processor's caches (CPUID leaf 0x8000001D of an AMD
/// EPYC all zeros; Linux then has no <c>/sys/devices/system/cpu/cpu0/cache</c>): it packs weights whose channels are no multiple of
/// the register width in blocks that do not belong together, and forward and backward come out wrong, by tenths of their norm
/// or as NaN, without an error. Whatever the cause, what counts is the result: two such convolutions are computed once by both.
/// </remarks>
internal static partial class OneDnn
{
    private static readonly Lazy<bool> s_isRight = new(Decide);

    /// <summary>Whether oneDNN computes the convolutions of this process. The first call decides it: before any result that counts.</summary>
    public static bool IsOn => s_isRight.Value;

    private static bool Decide()
    {
        if (OperatingSystem.IsWindows()) { return true; } // Its libtorch exports the switches under other names.

        SetUserEnabledNnpack(GlobalContext(), on: false); // The next in line: it has no kernels for most processors, and says so at every call.
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var isRight = Agrees(input: 20, output: 20) && Agrees(input: 3, output: 8);
        if (!isRight) { SetUserEnabledMkldnn(GlobalContext(), on: false); }
        return isRight;
    }

    /// <summary>
    /// Whether a 3 × 3 convolution, and the one that carries its gradient back to the input, are those of the float64 code, which
    /// is never oneDNN's.
    /// </summary>
    private static bool Agrees(int input, int output)
    {
        var weights = Wave(output, input, 3, 3);
        return IsClose(Forward, Wave(2, input, 6, 6)) && IsClose(Backward, Wave(2, output, 6, 6));

        Tensor Forward(Tensor x, ScalarType type) => nn.functional.conv2d(x.to(type), weights.to(type), padding: [1, 1]);

        Tensor Backward(Tensor gradient, ScalarType type)
        {
            using var _ = enable_grad();
            var x = zeros(2, input, 6, 6, dtype: type).requires_grad_();
            return autograd.grad([Forward(x, type)], [x], [gradient.to(type)])[0];
        }
    }

    private static bool IsClose(Func<Tensor, ScalarType, Tensor> compute, Tensor operand)
    {
        var exact = compute(operand, ScalarType.Float64);
        var difference = (compute(operand, ScalarType.Float32).to(ScalarType.Float64) - exact).norm() / exact.norm();
        return difference.item<double>() < 1e-4; // Not so for NaN.
    }

    /// <summary>Numbers without a pattern that a mistake could hide behind, and without touching torch's generator.</summary>
    private static Tensor Wave(params long[] shape) => arange(shape.Aggregate((a, b) => a * b), dtype: ScalarType.Float32).mul(0.7).sin().view(shape);

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
