using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Worker;

/// <summary>Sets this process up for the arithmetic that the spec asks for: device, math threads, deterministic kernels.</summary>
internal static class ComputeDevice
{
    public static Device Prepare(JobSpec spec)
    {
        set_num_threads(spec.Threads);
        if (spec.Device == DeviceKind.Cpu) { return CPU; }

        if (!cuda_is_available())
        {
            throw new BadInputException(
                "device: cuda, but this worker's libtorch finds no CUDA device. Use device: cpu, or give the worker a CUDA build of libtorch (build with -p:Torch=cuda, or set LIBTORCH_DIR) and a GPU");
        }

        DeterministicKernels.SwitchOn();
        return CUDA;
    }
}
