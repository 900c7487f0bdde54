// The silo process: the control plane alone. Workers and tools reach it at its gateway.
//
// Settings come from the environment (Orleans__ClusterId=...), the command line (--Orleans:ClusterId=...) or appsettings.json:
//
//   Cluster:Store                               .cluster/silo; folder of the state: one silo to a folder
//   Cluster:Redis, or ConnectionStrings:redis   none; host:port,password=... of a Redis that keeps the state instead, and
//                                               holds several silos together: give the same to each silo and worker. It
//                                               must run with its append-only file on (appendonly yes)
//   Orleans:ClusterId, Orleans:ServiceId        both "cluster"; clients must use the same
//   Orleans:Endpoints:AdvertisedIPAddress       127.0.0.1; the address on which the silo listens, unencrypted
//   Orleans:Endpoints:SiloPort                  0 = the system chooses; for other silos
//   Orleans:Endpoints:GatewayPort               0 = the system chooses; for workers and tools
//   Cluster:HealthPort                          none; where /health/live, /health/ready and /health/startup answer, for Kubernetes, and
//                                               /metrics, for Prometheus
//   Logging:LogLevel:...                        as everywhere in .NET
//   OTEL_EXPORTER_OTLP_ENDPOINT                 where telemetry goes (docs/telemetry.md); none leaves without it
//
// Exit codes: 0 asked to end, 2 a setting is wrong or what it names cannot be had.
using Cluster.Contracts;
using Cluster.Grains.Hosting;
using Cluster.ServiceDefaults;
using Microsoft.Extensions.Hosting;

try
{
    var settings = SiloSettings.From(NewBuilder().Configuration);
    await using var silo = await ClusterSilo.StartAsync(settings, NewBuilder, CancellationToken.None);
    Console.WriteLine($"The silo is ready: clients connect to {silo.Gateway}. Ctrl-C ends it.");
    await silo.WaitForShutdownAsync(CancellationToken.None);
    return 0;
}
catch (BadInputException e)
{
    await Console.Error.WriteLineAsync($"error: {e.Message}");
    return 2;
}

HostApplicationBuilder NewBuilder()
{
    var builder = Host.CreateApplicationBuilder(args);
    builder.Configuration.AddOrleansLogLevels();
    return builder;
}
