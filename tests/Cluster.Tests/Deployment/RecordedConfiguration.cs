using Microsoft.Extensions.Configuration;

namespace Cluster.Tests.Deployment;

/// <summary>The environment of a container as .NET reads it, and which of its keys were asked for.</summary>
internal sealed class RecordedConfiguration : ConfigurationProvider, IConfigurationSource
{
    private readonly HashSet<string> _asked = new(StringComparer.OrdinalIgnoreCase);

    public RecordedConfiguration(IEnumerable<KeyValuePair<string, string>> environment)
    {
        foreach (var (name, value) in environment) { Set(name.Replace("__", ":", StringComparison.Ordinal), value); }
        Root = new ConfigurationBuilder().Add(this).Build();
    }

    public IConfigurationRoot Root { get; }

    public bool WasAskedFor(string variable) => _asked.Contains(variable.Replace("__", ":", StringComparison.Ordinal));

    public override bool TryGet(string key, out string? value)
    {
        _asked?.Add(key);
        return base.TryGet(key, out value);
    }

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;
}
