// The API process: the one public door of a cluster, for people, tools and programs. An Orleans client; it keeps no state.
//
// Settings come from the environment (Cluster__Gateway=...), the command line (--Cluster:Gateway=...) or appsettings.json:
//
//   Cluster:Gateway                  127.0.0.1:30000; host and port of a silo's gateway, or several with commas between
//   Cluster:Redis                    the Redis that knows the silos, where there are several: host:port,password=...
//   Cluster:Urls                     http://127.0.0.1:8080; where to listen, several separated by semicolons
//   Cluster:AllowRemote              false; true lets it listen where other machines can connect, if there are tokens
//   Cluster:Tokens                   STORE/tokens.json; the file of tokens that 'cluster token' writes, and several may share
//   Cluster:Oidc:Authority           address of an OpenID Connect provider whose access tokens are good here too
//   Cluster:Oidc:Audience            what its tokens must be made for
//   Cluster:Oidc:RoleClaim           roles; the claim that says cluster-viewer, cluster-submitter or cluster-admin
//   Cluster:RequestsPerSecond        200; what one caller may ask over time
//   Cluster:StrangersPerSecond       10; what callers without a token may ask, by address
//   Cluster:StreamsPerCaller         512; event streams that one caller may have open
//   Cluster:MaxUploadMegabytes       256; what one uploaded file may have
//   Kestrel:Certificates:Default:... for https addresses in Cluster:Urls, as everywhere in ASP.NET
//   Cluster:Store                    .cluster; root of the job folders and uploads, which the workers must see under the same path
//   Cluster:Data                     folders of data sets as the workers see them, separated like PATH
//   Logging:LogLevel:...             as everywhere in .NET
//   OTEL_EXPORTER_OTLP_ENDPOINT      where telemetry goes (docs/telemetry.md); none leaves without it
//
// It listens once a silo has answered, and from then on says so when none does.
// Exit codes: 0 asked to end, 2 a setting is wrong.
using Cluster.Contracts;
using Cluster.Dashboard;
using Cluster.Dashboard.Access;
using Cluster.Dashboard.Api;
using Cluster.ServiceDefaults;

try
{
    var builder = WebApplication.CreateSlimBuilder(args);
    var address = ClusterAddress.From(builder.Configuration);
    var settings = ApiSettings.From(builder.Configuration, address.ToString());
    builder.WebHost.UseKestrelHttpsConfiguration();
    builder.AddServiceDefaults("cluster-dashboard");
    builder.Logging.AddFilter(AuditLog.Category, LogLevel.Information).AddFilter("Orleans", LogLevel.Warning).AddFilter("Microsoft", LogLevel.Warning);
    // An outage is said in every answer; a stack trace for each attempt to connect says no more.
    builder.Logging.AddFilter("Orleans.Runtime.Messaging", LogLevel.Error).AddFilter("Orleans.Messaging", LogLevel.Error);
    builder.UseOrleansClient(client => client.UseCluster(address));
    builder.AddClusterApi(settings);

    var app = builder.Build();
    app.MapClusterApi();
    await ApiHost.StartAsync(app, CancellationToken.None);
    Console.WriteLine($"The API is ready: {string.Join(", ", app.Urls)}. {settings.Guard} Ctrl-C ends it.");
    await app.WaitForShutdownAsync();
    return 0;
}
catch (BadInputException e)
{
    await Console.Error.WriteLineAsync($"error: {e.Message}");
    return 2;
}
