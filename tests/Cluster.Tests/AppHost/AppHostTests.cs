using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Dashboard;
using Cluster.Dashboard.Api;
using Cluster.Grains.Hosting;
using Cluster.ServiceDefaults;
using Cluster.Trainer.Worker;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;

namespace Cluster.Tests.AppHost;

/// <summary>Every project, port, setting, route and file that the app host names, against the code that it means.</summary>
public sealed class AppHostTests
{
    /// <summary>One of these is a value for any key; each differs from every default.</summary>
    private static readonly string[] s_values = ["10.1.2.3", "4242", "http://127.0.0.1:4242", "127.0.0.1:4242"];

    [Fact]
    public void Its_projects_are_programs_of_the_solution()
    {
        var projects = AppHostFile.All(@"(?m)^#:project (\S+)\s*$");
        Assert.Equal(3, projects.Length);
        Assert.Equal(projects.Select(Path.GetFileNameWithoutExtension).Order(), AppHostFile.All(@"AddProject<Projects\.(\w+)>").Order());
        var solution = File.ReadAllText(Path.Combine(AppHostFile.Root, "Cluster.sln"));
        foreach (var path in projects.Select(project => Path.GetFullPath(project, AppHostFile.Folder)))
        {
            Assert.True(File.Exists(path), path);
            Assert.Contains(XDocument.Load(path).Descendants("OutputType"), type => type.Value == "Exe");
            Assert.Contains(Path.GetRelativePath(AppHostFile.Root, path).Replace('/', '\\'), solution, StringComparison.Ordinal);
        }
    }

    /// <summary>The solution builds where Aspire's packages cannot be had, and nothing that it holds is inherited.</summary>
    [Fact]
    public void It_is_no_part_of_the_solution_and_inherits_nothing()
    {
        Assert.DoesNotContain("AppHost", File.ReadAllText(Path.Combine(AppHostFile.Root, "Cluster.sln")), StringComparison.OrdinalIgnoreCase);
        var packages = XDocument.Load(Path.Combine(AppHostFile.Folder, "Directory.Packages.props"));
        Assert.Equal("false", Assert.Single(packages.Descendants("ManagePackageVersionsCentrally")).Value);
        Assert.Empty(XDocument.Load(Path.Combine(AppHostFile.Folder, "Directory.Build.props")).Descendants("Import"));
        Assert.All(AppHostFile.All(@"(?m)^#:(?:sdk|package) (.+)$"), one => Assert.Matches(@"^[\w.]+@\d+\.\d+\.\d+$", one.Trim()));
    }

    /// <summary>A key that was renamed in the process changes nothing there any more.</summary>
    [Fact]
    public void Every_setting_is_read_by_the_process_that_gets_it()
    {
        var (silo, dashboard, clients, trainer) = (AppHostFile.KeysFor("silo"), AppHostFile.KeysFor("dashboard"), AppHostFile.KeysFor("client"), AppHostFile.KeysFor("trainer"));
        Assert.All(silo, key => AssertRead(key, c => SiloSettings.From(c).ToString()));
        Assert.All(dashboard.Concat(clients), key => AssertRead(key, c => $"{ApiSettings.From(c, "gateway")} {string.Join('|', ApiSettings.From(c, "gateway").DataRoots)} {ClusterAddress.From(c)}"));
        Assert.All(trainer.Concat(clients), key => AssertRead(key, c => $"{c.GetSection("Cluster").Get<TrainerSettings>() ?? new()} {ClusterAddress.From(c)}"));

        // None was overlooked above.
        var all = AppHostFile.All(@"""((?:Cluster|Orleans)__\w+)""").Select(key => key.Replace("__", ":", StringComparison.Ordinal));
        Assert.Equal(all.Order(), silo.Concat(dashboard).Concat(clients).Concat(trainer).Distinct().Order());
        Assert.Equal("Cluster:Gateway", Assert.Single(clients));
        Assert.Contains("Cluster:Id", trainer);
    }

    [Fact]
    public void The_connection_to_Redis_has_the_name_that_the_processes_read()
    {
        var name = Assert.Single(AppHostFile.All(@"(?:AddRedis|AddConnectionString|GetConnectionString)\(""(\w+)""\)"));
        AssertRead($"ConnectionStrings:{name}", c => SiloSettings.From(c).ToString());
        AssertRead($"ConnectionStrings:{name}", c => ClusterAddress.From(c).ToString());
        Assert.Contains("\"--appendonly\", \"yes\"", AppHostFile.Code, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_route_and_health_check_is_mapped()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddClusterApi(new ApiSettings { Gateway = "127.0.0.1:30000", Store = Path.GetTempPath() });
        await using var app = builder.Build();
        app.MapClusterApi();
        var mapped = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Select(method => $"{method} /{endpoint.RoutePattern.RawText!.TrimStart('/')}"))
            .ToHashSet(StringComparer.Ordinal);

        var posted = AppHostFile.All(@"Post\(\$?""(/[^""]+)""");
        var read = AppHostFile.All(@"""(/(?:api|health)/[^""]+)""").Except(posted).ToArray();
        Assert.Equal(3, posted.Length);
        Assert.All(posted, path => Assert.Contains($"POST {path}", mapped));
        Assert.Contains(read, path => path.StartsWith("/health/", StringComparison.Ordinal));
        Assert.All(read, path => Assert.Contains($"GET {path}", mapped));
    }

    [Fact]
    public void What_it_sends_and_reads_are_keys_of_the_API()
    {
        var sent = AppHostFile.All("""\["(\w+)"\] = """);
        Assert.Contains("spec", sent);
        Assert.Empty(sent.Except(Keys(ApiJson.Default.SubmitRequest)));
        Assert.Empty(AppHostFile.All("""w!\["(\w+)"\]""").Except(Keys(ApiJson.Default.PoolWorkerView)));
        var worker = ApiJson.Default.PoolWorkerView.Properties.Single(property => property.Name == "worker").PropertyType;
        Assert.Empty(AppHostFile.All("""(?:\bw|worker)\["(\w+)"\]""").Except(Keys(ApiJson.Default.GetTypeInfo(worker)!)));

        static IEnumerable<string> Keys(JsonTypeInfo type) => type.Properties.Select(property => property.Name);
    }

    /// <summary>What an operator clicks, and what the guide says of it.</summary>
    [Fact]
    public void Its_commands_and_links_are_those_of_the_guide()
    {
        var guide = File.ReadAllText(Path.Combine(AppHostFile.Root, "docs", "guides", "aspire.md"));
        Assert.Equal(["drain", "kill", "submit-digits", "submit-shakespeare", "undrain"], AppHostFile.All(@"WithCommand\(""([\w-]+)""").Order());
        Assert.All(AppHostFile.All(@"WithCommand\(""[\w-]+"", ""([^""(]+?) ?[""(]"), title => Assert.Matches($@"\*{title.Replace(" ", @"\s", StringComparison.Ordinal)}\*", guide));
        Assert.Equal(["API", "Jobs", "Workers"], AppHostFile.All(@"DisplayText = ""(\w+)""").Order());
        Assert.Contains("*Jobs*", guide, StringComparison.Ordinal);
    }

    /// <summary>Nothing is started before what it needs answers: the guide's table of resources.</summary>
    [Theory]
    [InlineData("silo", "redis")]
    [InlineData("dashboard", "silo")]
    [InlineData("trainer", "dashboard")]
    public void Each_resource_waits_for_what_it_needs(string resource, string needed)
    {
        var guide = File.ReadAllText(Path.Combine(AppHostFile.Root, "docs", "guides", "aspire.md"));
        Assert.Matches($@"(?s)\b{resource}\b(?:(?!;\r?\n).)*\.WaitFor\({needed}\)", AppHostFile.Code);
        Assert.Matches($@"(?m)^\| `{resource}[^|]*\|[^|]*\| `{needed}` \|$", guide);
        Assert.Single(AppHostFile.All(@"WithHttpHealthCheck\(""([^""]+)""\)"));
    }

    [Fact]
    public void Its_samples_are_there()
    {
        var samples = AppHostFile.All(@"""(samples/[^""]+)""");
        Assert.NotEmpty(samples);
        Assert.All(samples, sample => Assert.True(Path.Exists(Path.Combine(AppHostFile.Root, sample)), sample));
    }

    [Fact]
    public void Its_own_settings_are_those_that_its_head_describes()
    {
        var described = Regex.Matches(AppHostFile.Head, @"(?m)^//   AppHost:(\w+)\s+(\S+?)[;\s]").ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        var numbers = Regex.Matches(AppHostFile.Code, @"Number\(""(\w+)"", (\d+),").ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        Assert.Equal(described.Keys.Order(), AppHostFile.All(@"settings\[""(\w+)""\]").Concat(numbers.Keys).Order());
        Assert.All(numbers, number => Assert.Equal(number.Value, described[number.Key]));
        Assert.Equal(described["State"], Assert.Single(AppHostFile.All(@"settings\[""State""\] \?\? ""(\w+)""")));
        Assert.Equal(described["Store"], Assert.Single(AppHostFile.All(@"settings\[""Store""\] \?\? Path\.Combine\(repository, ""([^""]+)""")));

        // Where people and tools look when nobody says otherwise.
        Assert.Equal(ClusterView.DefaultUrl, $"http://127.0.0.1:{numbers["Port"]}");
        Assert.Equal(ClusterAddress.From(new ConfigurationBuilder().Build()).ToString(), $"127.0.0.1:{numbers["GatewayPort"]}");
    }

    [Fact]
    public void Its_launch_profiles_stay_on_loopback_and_set_what_it_reads()
    {
        using var profiles = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppHostFile.Folder, "apphost.run.json")));
        var texts = profiles.RootElement.GetProperty("profiles").EnumerateObject().SelectMany(profile => profile.Value.GetProperty("environmentVariables").EnumerateObject()
            .Select(variable => (variable.Name, Value: variable.Value.GetString()!)).Append((Name: "applicationUrl", Value: profile.Value.GetProperty("applicationUrl").GetString()!))).ToArray();
        Assert.All(texts.Where(text => text.Value.Contains("://", StringComparison.Ordinal)), text => Assert.True(new Uri(text.Value).IsLoopback, text.Value));
        var own = texts.Select(text => text.Name).Where(name => name.StartsWith("AppHost__", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(own);
        Assert.All(own, name => Assert.Contains($"//   {name.Replace("__", ":", StringComparison.Ordinal)} ", AppHostFile.Head, StringComparison.Ordinal));
        Assert.DoesNotMatch(@"0\.0\.0\.0|\[::\]|://[*+]", AppHostFile.Code);
    }

    [Fact]
    public void The_Aspire_command_line_finds_it_from_the_root()
    {
        using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppHostFile.Root, "aspire.config.json")));
        Assert.True(File.Exists(Path.Combine(AppHostFile.Root, config.RootElement.GetProperty("appHost").GetProperty("path").GetString()!)));
    }

    private static void AssertRead(string key, Func<IConfiguration, string> settings)
    {
        var byDefault = settings(new ConfigurationBuilder().Build());
        Assert.True(s_values.Any(Changes), $"nothing that the process reads depends on {key}");

        bool Changes(string value)
        {
            try
            {
                return settings(new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build()) != byDefault;
            }
            catch (BadInputException)
            {
                return false; // A value for another key.
            }
        }
    }
}
