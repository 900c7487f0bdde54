using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Cluster.Tests.Data;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Worker;

namespace Cluster.Tests.Gpu;

/// <summary>What a trainer tells of its GPU, with a library that stands in for the driver's.</summary>
public sealed class NvmlTests
{
    /// <summary>Two GPUs of 80 GB; the second does not tell its utilization. The declarations are those of nvml.h.</summary>
    private const string StandIn = """
        #include <string.h>
        typedef struct { int number; } *nvmlDevice_t;
        typedef struct { unsigned long long total, free, used; } nvmlMemory_t;
        typedef struct { unsigned int gpu, memory; } nvmlUtilization_t;
        static struct { int number; } devices[2] = {{0}, {1}};
        int nvmlInit_v2(void) { return 0; }
        int nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) { if (index > 1) return 2; *device = (nvmlDevice_t)&devices[index]; return 0; }
        int nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *device) { if (strcmp(uuid, "GPU-b")) return 6; *device = (nvmlDevice_t)&devices[1]; return 0; }
        int nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) { memory->total = 80000000000ULL; memory->used = 1000000000ULL * (1 + device->number); memory->free = memory->total - memory->used; return 0; }
        int nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *rates) { if (device->number) return 3; rates->gpu = 73; rates->memory = 11; return 0; }
        """;

    [Theory]
    [InlineData(null, 0, null)]
    [InlineData("2,0", 2, null)]
    [InlineData(" 1", 1, null)]
    [InlineData("GPU-8932f937-d72c-4106-c12f-20bd9faed9f6,1", 0, "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6")]
    [InlineData("MIG-1", 0, "MIG-1")]
    public void The_first_visible_GPU_is_the_one(string? visible, int index, string? uuid) => Assert.Equal(new VisibleGpu(index, uuid), VisibleGpu.Of(visible));

    [Theory, InlineData(""), InlineData("-1"), InlineData("-1,0"), InlineData("none")]
    public void It_may_be_that_none_is_visible(string visible) => Assert.Null(VisibleGpu.Of(visible));

    [Fact]
    public void Without_the_library_there_is_nothing_to_read() => Assert.Null(Nvml.Open(new VisibleGpu(0), "libnvidia-ml-that-is-not-there.so.1"));

    /// <summary>A library, but not this one: the C library lacks all of its functions.</summary>
    [Fact]
    public void A_library_without_its_functions_is_as_good_as_none() => Assert.Null(Nvml.Open(new VisibleGpu(0), "libc.so.6"));

    [SkippableFact]
    public void Readings_are_those_of_the_device_that_is_named()
    {
        using var folder = new TemporaryFolder();
        var library = Compile(folder.Path, StandIn);
        Assert.Equal(new GpuReading(0.73, 1_000_000_000, 80_000_000_000), Nvml.Open(new VisibleGpu(0), library)!.Read());
        Assert.Equal(new GpuReading(double.NaN, 2_000_000_000, 80_000_000_000), Nvml.Open(new VisibleGpu(0, "GPU-b"), library)!.Read());
        Assert.Null(Nvml.Open(new VisibleGpu(2), library));
        Assert.Null(Nvml.Open(new VisibleGpu(0, "GPU-a"), library));
        Assert.Null(Nvml.Open(null, library));
    }

    [SkippableFact]
    public void A_driver_that_refuses_is_as_good_as_none()
    {
        using var folder = new TemporaryFolder();
        Assert.Null(Nvml.Open(new VisibleGpu(0), Compile(folder.Path, StandIn.Replace("nvmlInit_v2(void) { return 0; }", "nvmlInit_v2(void) { return 9; }", StringComparison.Ordinal))));
    }

    /// <summary>Where there is a GPU it is read, and elsewhere a worker tells nothing of one and goes on.</summary>
    [Fact]
    public void A_worker_tells_what_there_is_and_nothing_else()
    {
        var told = new HashSet<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name.StartsWith("cluster.gpu.", StringComparison.Ordinal)) { listener.EnableMeasurementEvents(instrument); }
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, _, _, _) => told.Add(instrument.Name));
        listener.SetMeasurementEventCallback<long>((instrument, _, _, _) => told.Add(instrument.Name));
        RuntimeHelpers.RunClassConstructor(typeof(TrainerTelemetry).TypeHandle);
        listener.Start();
        listener.RecordObservableInstruments();
        var isThere = Nvml.Open(VisibleGpu.Of(Environment.GetEnvironmentVariable("CUDA_VISIBLE_DEVICES"))) is not null;
        Assert.Equal(isThere, told.Contains("cluster.gpu.memory.usage"));
        Assert.Equal(isThere, told.Contains("cluster.gpu.memory.limit"));
    }

    private static string Compile(string folder, string source)
    {
        var (file, library) = (Path.Combine(folder, "nvml.c"), Path.Combine(folder, "libnvidia-ml.so.1"));
        File.WriteAllText(file, source);
        try
        {
            using var compiler = Process.Start(new ProcessStartInfo("cc", ["-shared", "-fPIC", "-o", library, file]) { RedirectStandardError = true })!;
            var problems = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            Assert.True(compiler.ExitCode == 0, problems);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Skip.If(true, "there is no C compiler (cc) to build the stand-in with");
        }

        return library;
    }
}
