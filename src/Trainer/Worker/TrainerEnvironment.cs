using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Worker;

/// <summary>What the bits of an answer may depend on beside the spec. Goes into every checkpoint and report.</summary>
internal static class TrainerEnvironment
{
    /// <summary>Once the model is built.</summary>
    public static ImmutableDictionary<string, string> Describe(Device device) => new Dictionary<string, string>
    {
        ["os"] = RuntimeInformation.OSDescription,
        ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString(),
        ["processor"] = Processor(),
        ["vectorWidth"] = Vector512.IsHardwareAccelerated ? "512" : Vector256.IsHardwareAccelerated ? "256" : "128",
        ["dotnet"] = Environment.Version.ToString(),
        ["cluster"] = typeof(TrainerEnvironment).Assembly.GetName().Version!.ToString(),
        ["torchSharp"] = typeof(torch).Assembly.GetName().Version!.ToString(),
        ["libtorch"] = TorchRuntime.LibTorchDirectory ?? AppContext.BaseDirectory,
        ["device"] = device.ToString(),
        ["convolutions"] = OneDnn.IsOn ? "oneDNN" : "libtorch (this machine's oneDNN computes the model's wrongly)",
        ["mathThreads"] = get_num_threads().ToString(CultureInfo.InvariantCulture),
    }.ToImmutableDictionary();

    private static string Processor()
    {
        const string cpuInfo = "/proc/cpuinfo";
        var model = File.Exists(cpuInfo)
            ? File.ReadLines(cpuInfo).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
            : null;
        return model ?? (X86Base.IsSupported ? "x86" : RuntimeInformation.ProcessArchitecture.ToString());
    }
}
