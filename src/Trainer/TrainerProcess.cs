using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.ServiceDefaults;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TorchSharp;

namespace Cluster.Trainer;

/// <summary>
/// The trainer as a process: an Orleans client that offers this machine's compute to a cluster. See
/// <see cref="TrainerSettings"/> for its settings. Ends with 0 when asked to, 2 for wrong settings.
/// </summary>
public static class TrainerProcess
{
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            var builder = Host.CreateApplicationBuilder(args);
            builder.AddServiceDefaults("cluster-trainer");
            builder.AddHealthDoor();
            builder.Configuration.AddOrleansLogLevels();
            var settings = builder.Configuration.GetSection("Cluster").Get<TrainerSettings>() ?? new TrainerSettings();
            var address = ClusterAddress.From(builder.Configuration);

            using var signal = settings.EndWithInput ? PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true) : null;
            if (settings.EndWithInput) { EndWithInput(); }

            builder.UseOrleansClient(client => client.UseCluster(address));
            builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(settings.LeaveSeconds));
            builder.Services.AddSingleton(settings.Checked());
            builder.Services.AddSingleton(TimeProvider.System);
            builder.Services.AddSingleton(services => Listen(settings, services.GetRequiredService<ILogger<DataPlaneListener>>()));
            builder.Services.AddSingleton(services => Describe(settings, services.GetRequiredService<DataPlaneListener>()));
            builder.Services.AddHostedService<WorkerAgent>();
            using var host = builder.Build();
            host.OpenHealthDoor();
            _ = host.Services.GetRequiredService<DataPlaneListener>(); // As early as the door, and for the same reason.
            await host.RunAsync();
            return 0;
        }
        catch (BadInputException wrong)
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return 2;
        }
    }

    private static DataPlaneListener Listen(TrainerSettings settings, ILogger<DataPlaneListener> log)
    {
        var address = IPAddress.Parse(settings.Address);
        try
        {
            return new(address, settings.DataPort, refusal => log.LogWarning("A data-plane connection was refused: {Reason}", refusal));
        }
        catch (SocketException e)
        {
            throw PortProblem.Of(e, address, settings.DataPort, "Cluster:DataPort", "Cluster:Address");
        }
    }

    private static WorkerInfo Describe(TrainerSettings settings, DataPlaneListener listener) => new(
        settings.WorkerId,
        Environment.ProcessId,
        settings.Address,
        listener.EndPoint.Port,
        Environment.ProcessorCount,
        torch.cuda_is_available() ? torch.cuda.device_count() : 0,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        settings.Labels)
    {
        Site = settings.Site,
        Life = Guid.NewGuid(),
    };

    /// <summary>
    /// Whoever started this process holds its standard input open; when that closes, the starter is gone, however it went.
    /// Nothing here needs an orderly end: what is saved is saved whole.
    /// </summary>
    private static void EndWithInput() => new Thread(() =>
    {
        using var input = Console.OpenStandardInput();
        Span<byte> buffer = stackalloc byte[64];
        while (input.Read(buffer) > 0) { }
        Environment.Exit(0);
    }) { IsBackground = true, Name = "standard input" }.Start();
}
