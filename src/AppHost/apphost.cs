// The whole cluster on a developer's machine, with the Aspire dashboard around it: Redis, silos, the API, trainers. All of it
// listens on loopback alone. It is no part of Cluster.sln: `aspire run`, or `dotnet run src/AppHost/apphost.cs`.
//
// Settings come from the environment (AppHost__Trainers=4) or the command line (dotnet run src/AppHost/apphost.cs -- --AppHost:Trainers 4):
//
//   AppHost:State             redis; or folder, which needs neither Redis nor containers: one silo, whose state lies in the store
//   AppHost:Silos             2; how many share the grains, in Redis mode
//   AppHost:Trainers          3; how many workers
//   AppHost:Gpus              0; how many GPUs the trainers share out, one each in turn. Build with Torch=cuda in the environment
//   AppHost:Port              8080; of the API
//   AppHost:GatewayPort       30000; of the silo's gateway, in folder mode
//   AppHost:Store             .cluster/aspire in the repository; root of the job folders, and of the silo's state in folder mode
//   CLUSTER_DATA              none; folders of data sets beside the samples that ship, separated like PATH
//   ConnectionStrings:redis   none; a Redis that runs already, instead of one in a container: 127.0.0.1:6379,password=...
#:sdk Aspire.AppHost.Sdk@13.6.4
#:package Aspire.Hosting.AppHost@13.6.5
#:package Aspire.Hosting.Redis@13.6.5
#:project ../Grains/Grains.csproj
#:project ../Dashboard/Dashboard.csproj
#:project ../Trainer/Trainer.csproj
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

const string Loopback = "127.0.0.1";
const string Json = "application/json";

var builder = DistributedApplication.CreateBuilder(args);
var settings = builder.Configuration.GetSection("AppHost");
var repository = Path.GetFullPath(Path.Combine(builder.AppHostDirectory, "../.."));
var store = Path.GetFullPath(settings["Store"] ?? Path.Combine(repository, ".cluster/aspire"));
var (port, trainers, gpus) = (Number("Port", 8080, 1, 65535), Number("Trainers", 3, 0, 64), Number("Gpus", 0, 0, 64));
var api = new HttpClient { BaseAddress = new($"http://{Loopback}:{port}") };

// The processes configure Orleans by themselves from these few keys: docs/decisions/008-orleans-without-its-resource.md.
var silo = builder.AddProject<Projects.Grains>("silo").WithEnvironment("Orleans__Endpoints__AdvertisedIPAddress", Loopback);
var dashboard = builder.AddProject<Projects.Dashboard>("dashboard");
Action<IResourceBuilder<ProjectResource>> reachSilo;
switch (settings["State"] ?? "redis")
{
    case "redis":
        var redis = AddRedis();
        silo.WithReplicas(Number("Silos", 2, 1, 16)).WithReference(redis).WaitFor(redis);
        reachSilo = client => client.WithReference(redis);
        break;
    case "folder":
        var gatewayPort = Number("GatewayPort", 30000, 1, 65535).ToString(CultureInfo.InvariantCulture);
        silo.WithEnvironment("Orleans__Endpoints__GatewayPort", gatewayPort).WithEnvironment("Cluster__Store", Path.Combine(store, "silo"));
        reachSilo = client => client.WithEnvironment("Cluster__Gateway", $"{Loopback}:{gatewayPort}");
        break;
    case var other:
        return Refuse($"AppHost:State is '{other}': redis or folder is needed");
}

reachSilo(dashboard);
dashboard
    .WithEnvironment("Cluster__Urls", api.BaseAddress.GetLeftPart(UriPartial.Authority))
    .WithEnvironment("Cluster__Store", store)
    .WithEnvironment("Cluster__Data", builder.Configuration["CLUSTER_DATA"] ?? "") // Workers have the samples that ship beside them.
    .WithHttpEndpoint(port, targetPort: port, name: "http", isProxied: false) // It listens there itself: nothing between.
    .WithHttpHealthCheck("/health/ready")
    .WithUrlForEndpoint("http", url => url.DisplayText = "API")
    .WithUrlForEndpoint("http", _ => new() { Url = "/api/v1/jobs", DisplayText = "Jobs" })
    .WithUrlForEndpoint("http", _ => new() { Url = "/api/v1/workers", DisplayText = "Workers" })
    .WithCommand("submit-digits", "Submit the sample job (seconds)", c => Submit("samples/digits-lamb.yaml", c), Icon("Play"))
    .WithCommand("submit-shakespeare", "Submit the long sample job (minutes)", c => Submit("samples/shakespeare-gpt.yaml", c), Icon("BookOpen"))
    .WaitFor(silo);

for (var i = 0; i < trainers; i++)
{
    // A resource each, not replicas of one: each has its own name in the cluster, its own GPU and its own commands.
    var id = $"trainer-{i + 1}";
    var trainer = builder.AddProject<Projects.Trainer>(id)
        .WithEnvironment("Cluster__Id", id)
        .WithEnvironment("Cluster__Address", Loopback)
        .WithCommand("kill", "Kill (as a crash would)", c => Kill(id, c), Icon("Flash"))
        .WithCommand("drain", "Drain", c => Post($"/api/v1/workers/{id}/drain", "{}", c), Icon("ArrowExit"))
        .WithCommand("undrain", "Undrain", c => Post($"/api/v1/workers/{id}/undrain", "{}", c), Icon("ArrowEnter"))
        .WaitFor(dashboard); // Healthy when the control plane answers.
    reachSilo(trainer);
    if (gpus > 0) { trainer.WithEnvironment("CUDA_VISIBLE_DEVICES", (i % gpus).ToString(CultureInfo.InvariantCulture)); }
}

builder.Build().Run();
return 0;

IResourceBuilder<IResourceWithConnectionString> AddRedis()
{
    if (builder.Configuration.GetConnectionString("redis") is { Length: > 0 }) { return builder.AddConnectionString("redis"); }

    // Jobs that were acknowledged survive Redis only in its append-only file. Without TLS: it never leaves loopback.
#pragma warning disable ASPIRECERTIFICATES001
    return builder.AddRedis("redis").WithDataVolume("cluster-redis").WithArgs("--appendonly", "yes").WithoutHttpsCertificate();
#pragma warning restore ASPIRECERTIFICATES001
}

Task<ExecuteCommandResult> Submit(string sample, ExecuteCommandContext context)
{
    var body = new JsonObject { ["spec"] = File.ReadAllText(Path.Combine(repository, sample)), ["minWorkers"] = 1, ["maxWorkers"] = Math.Max(1, trainers) };
    return Post("/api/v1/jobs", body.ToJsonString(), context);
}

/// kill -9: the others abort the round under way and go on without it. Start it again with the resource's own button.
async Task<ExecuteCommandResult> Kill(string id, ExecuteCommandContext context)
{
    try
    {
        var workers = JsonNode.Parse(await api.GetStringAsync("/api/v1/workers", context.CancellationToken))!.AsArray();
        var worker = workers.Select(w => w!["worker"]!).FirstOrDefault(w => (string?)w["id"] == id);
        if (worker is null) { return CommandResults.Failure($"the cluster knows no worker {id}: is it running?"); }
        using var process = Process.GetProcessById((int)worker["processId"]!);
        process.Kill();
        return CommandResults.Success();
    }
    catch (Exception e) when (e is HttpRequestException or ArgumentException or InvalidOperationException)
    {
        return CommandResults.Failure(e.Message);
    }
}

/// The API says in its answer what was wrong.
async Task<ExecuteCommandResult> Post(string path, string body, ExecuteCommandContext context)
{
    try
    {
        using var content = new StringContent(body, Encoding.UTF8, Json);
        using var response = await api.PostAsync(path, content, context.CancellationToken);
        var answer = await response.Content.ReadAsStringAsync(context.CancellationToken);
        context.Logger.LogInformation("POST {Path}: {Status} {Answer}", path, (int)response.StatusCode, answer);
        return response.IsSuccessStatusCode ? CommandResults.Success() : CommandResults.Failure(answer);
    }
    catch (HttpRequestException e)
    {
        return CommandResults.Failure($"the API does not answer at {api.BaseAddress}: {e.Message}");
    }
}

CommandOptions Icon(string name) => new() { IconName = name };

int Number(string key, int byDefault, int min, int max)
{
    if (settings[key] is not { } text) { return byDefault; }
    if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max) { return number; }
    Environment.Exit(Refuse($"AppHost:{key} is '{text}': a number from {min} to {max} is needed"));
    return 0;
}

static int Refuse(string problem)
{
    Console.Error.WriteLine($"error: {problem}");
    return 2;
}
