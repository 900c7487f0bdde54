using System.Security.Cryptography;
using Cluster.Cli.Run;
using Cluster.Client;
using Cluster.Dashboard;
using Cluster.Grains.Hosting;
using Cluster.Trainer.Core.Data;

namespace Cluster.Cli.Up;

/// <summary>
/// <c>cluster up</c>: a silo and the API in this process, N trainer processes beside it, until somebody ends it.
/// </summary>
/// <remarks>
/// <code>
///   start   lock on the store, silo, API, trainers, then the address file: who finds it can use the cluster
///   stay    until Ctrl-C, SIGTERM or 'cluster down'; a trainer that ends is started again
///   end     trainers, address file, API, silo, lock: nobody finds a cluster that is half gone
/// </code>
/// </remarks>
internal static class LocalCluster
{
    public static async Task<int> RunAsync(UpOptions options)
    {
        using var held = StoreLock.Take(options.Store);
        await using var silo = await ClusterSilo.StartAsync(
            new SiloSettings { GatewayPort = new PortChoice(options.GatewayPort, "--gateway-port"), Store = Path.Combine(options.Store, "silo") },
            CancellationToken.None);
        var settings = new ApiSettings
        {
            Urls = $"http://127.0.0.1:{options.Port}",
            Store = options.Store,
            DataRoots = DataRoots.Of(specFile: null, dataFolder: null, Environment.GetEnvironmentVariable(DataRoots.Variable)),
            Gateway = silo.Gateway.ToString(),
            ShutdownSecret = RandomNumberGenerator.GetHexString(64, lowercase: true),
        };
        await using var api = await ApiHost.StartAsync(settings, silo.Grains, CancellationToken.None);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(api.ShutdownRequested);
        using var interrupts = new Interrupts(ended.Cancel);
        await using var workers = WorkerFleet.Start(options.Workers, silo.Gateway, Path.Combine(options.Store, "logs"), Console.Error.WriteLine);

        var address = new AddressFile(Environment.ProcessId, api.Url.GetLeftPart(UriPartial.Authority), settings.Gateway, settings.ShutdownSecret);
        address.Write(options.Store);
        try
        {
            Console.WriteLine(options.IsJson ? address.ToJson() : $"The cluster is ready: {address.Url}, gateway {address.Gateway}, {options.Workers} workers, store {options.Store}. {settings.Guard} Ctrl-C ends it.");
            await Task.Delay(Timeout.Infinite, ended.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            await workers.DisposeAsync();
        }
        finally
        {
            AddressFile.Delete(options.Store);
        }

        return ExitCodes.Succeeded;
    }
}
