using System.Net;
using System.Text.RegularExpressions;
using Cluster.Contracts;
using Cluster.Dashboard;
using Cluster.Grains.Hosting;
using Cluster.ServiceDefaults;
using Cluster.Trainer.Worker;
using k8s.Models;
using Microsoft.Extensions.Configuration;

namespace Cluster.Tests.Deployment;

/// <summary>The processes' own readers read the environment that the manifests give them: every variable is asked for, and none is refused.</summary>
internal static partial class SettingChecks
{
    private const string PodName = "a-pod", PodAddress = "10.1.2.3", Redis = "cluster-redis:6379";

    public static IEnumerable<string> Silos(Installation installation) => One(installation, "silo").SelectMany(silo => Read(installation, silo, environment =>
    {
        var settings = SiloSettings.From(environment);
        return
        [
            (settings.Address.Equals(IPAddress.Parse(PodAddress)), $"advertises {settings.Address}, not its pod's address"),
            ((settings.ClusterId, settings.Store, settings.Redis?.ToString()) == ("cluster", null, Redis), "is of another cluster, or keeps its state elsewhere than in Redis"),
            (silo.PortNamed("silo") == settings.SiloPort.Number, $"listens for silos at {settings.SiloPort.Number}, and its port silo is {silo.PortNamed("silo")}"),
            (silo.PortNamed("gateway") == settings.GatewayPort.Number, $"listens for clients at {settings.GatewayPort.Number}, and its port gateway is {silo.PortNamed("gateway")}"),
            (silo.PortNamed("health") is { } port && port == HealthExtensions.PortFrom(environment), "has its health elsewhere than at the port health"),
        ];
    }));

    public static IEnumerable<string> Trainers(Installation installation) => installation.Of("trainer").SelectMany(trainer => Read(installation, trainer, environment =>
    {
        var settings = environment.GetSection("Cluster").Get<TrainerSettings>()!;
        var cluster = ClusterAddress.From(environment);
        return
        [
            ((settings.WorkerId, settings.Address) == (PodName, PodAddress), $"is {settings.WorkerId} at {settings.Address}, not its pod"),
            (cluster.Redis?.ToString() == Redis && cluster.Gateways.IsEmpty, "does not look for silos in Redis"),
            (trainer.PortNamed("health") is { } port && port == HealthExtensions.PortFrom(environment), "has its health elsewhere than at the port health"),
            (trainer.PortNamed("data") == settings.DataPort, $"listens for its peers at {settings.DataPort}, and its port data is {trainer.PortNamed("data")}"),
        ];
    }));

    public static IEnumerable<string> Api(Installation installation) => One(installation, "dashboard").SelectMany(dashboard => Read(installation, dashboard, environment =>
    {
        var settings = ApiSettings.From(environment, ClusterAddress.From(environment).ToString());
        var access = dashboard.Pod.Volumes?.FirstOrDefault(v => v.Name == "access")?.Secret;
        return
        [
            (settings.Urls == $"http://0.0.0.0:{dashboard.PortNamed("http")}", $"listens on {settings.Urls}, not at its port http"),
            (settings.Store == MountOf(dashboard, "store"), $"writes to {settings.Store}, not to the store"),
            (settings.DataRoots is [var data] && data == $"{settings.Store}/data", $"looks for data sets in {string.Join(", ", settings.DataRoots)}"),
            // Without this file it would not listen where others can connect.
            (settings.Tokens == $"{MountOf(dashboard, "access")}/tokens.json" && access is { Optional: null or false }, "does not have its file of tokens"),
        ];
    }));

    /// <summary>A variable that another one is made of is set before it, and each once.</summary>
    public static IEnumerable<string> Variables(Installation installation)
    {
        foreach (var workload in installation.Workloads)
        {
            var known = new HashSet<string>();
            foreach (var variable in workload.Container.Env ?? [])
            {
                foreach (var name in Named(variable.Value).Where(name => !known.Contains(name))) { yield return $"{workload.Title}: {variable.Name} is made of {name}, which is not set yet"; }
                if (!known.Add(variable.Name)) { yield return $"{workload.Title} sets {variable.Name} twice"; }
            }

            foreach (var name in Named(string.Join(' ', workload.Container.Args ?? [])).Where(name => !known.Contains(name))) { yield return $"{workload.Title}: its arguments name {name}, which is not set"; }
        }
    }

    private static IEnumerable<Workload> One(Installation installation, string component) =>
        installation.Of(component).ToArray() is [var one] ? [one] : throw new InvalidOperationException($"there must be one workload {component}");

    private static string? MountOf(Workload workload, string volume) => workload.Container.VolumeMounts?.FirstOrDefault(m => m.Name == volume)?.MountPath;

    /// <param name="look">Reads the settings, and says what must hold and what is wrong otherwise.</param>
    private static IEnumerable<string> Read(Installation installation, Workload workload, Func<IConfiguration, (bool Holds, string Problem)[]> look)
    {
        RecordedConfiguration environment;
        (bool Holds, string Problem)[] seen;
        try
        {
            environment = Environment(installation, workload);
            seen = look(environment.Root);
        }
        catch (Exception refused) when (refused is BadInputException or InvalidOperationException)
        {
            return [$"{workload.Title}: {refused.Message}"];
        }

        // Except those that only fill others, and OpenTelemetry's own.
        var unread = workload.Container.Env.Select(e => e.Name).Concat(["Orleans__ClusterId", "Orleans__ServiceId"])
            .Where(name => name is not ("POD_NAME" or "POD_IP") && !name.StartsWith("OTEL_", StringComparison.Ordinal) && !environment.WasAskedFor(name));
        return seen.Where(one => !one.Holds).Select(one => $"{workload.Title} {one.Problem}").Concat(unread.Select(name => $"{workload.Title} sets {name}, which nothing reads"));
    }

    private static IEnumerable<string> Named(string? text) => References().Matches(text ?? "").Select(match => match.Groups[1].Value);

    /// <summary>As the pod would get it.</summary>
    private static RecordedConfiguration Environment(Installation installation, Workload workload)
    {
        var variables = new Dictionary<string, string>();
        foreach (var map in (workload.Container.EnvFrom ?? []).Select(from => from.ConfigMapRef.Name))
        {
            foreach (var (name, value) in installation.All<V1ConfigMap>().FirstOrDefault(m => m.Metadata.Name == map)?.Data ?? new Dictionary<string, string>()) { variables[name] = value; }
        }

        foreach (var variable in workload.Container.Env ?? [])
        {
            variables[variable.Name] = variable.ValueFrom switch
            {
                null => variables.Aggregate(variable.Value ?? "", (text, known) => text.Replace($"$({known.Key})", known.Value, StringComparison.Ordinal)),
                { FieldRef.FieldPath: "metadata.name" } => PodName,
                { FieldRef.FieldPath: "status.podIP" } => PodAddress,
                { SecretKeyRef.Key: "connection" } => $"{Redis},password=hush",
                _ => throw new InvalidOperationException($"where does {variable.Name} come from?"),
            };
        }

        return new(variables);
    }

    [GeneratedRegex(@"\$\((\w+)\)")]
    private static partial Regex References();
}
