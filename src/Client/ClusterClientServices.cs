using Cluster.Contracts.Api;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Cluster.Client;

/// <summary>The SDK in a program with dependency injection.</summary>
public static class ClusterClientServices
{
    /// <summary>
    /// Adds <see cref="ClusterClient"/>, whose connections come from <c>IHttpClientFactory</c>.
    /// </summary>
    /// <example>
    /// <code>
    /// builder.Services.AddClusterClient(options => options.Url = new Uri("https://cluster.example"));
    /// ...
    /// app.MapPost("/train", async (ClusterClient cluster, CancellationToken token) =>
    ///     await cluster.SubmitAsync(new SubmitRequest { Spec = await File.ReadAllTextAsync("job.yaml", token) }, token));
    /// </code>
    /// </example>
    public static IServiceCollection AddClusterClient(this IServiceCollection services, Action<ClusterClientOptions>? configure = null)
    {
        services.AddOptions<ClusterClientOptions>().Configure(options =>
        {
            options.Url = Environment.GetEnvironmentVariable("CLUSTER_URL") is { Length: > 0 } url ? new Uri(url) : new Uri(ClusterView.DefaultUrl);
            options.Token = Environment.GetEnvironmentVariable(ClusterClient.TokenVariable) is { Length: > 0 } token ? token : null;
            configure?.Invoke(options);
        });
        services.AddHttpClient(nameof(ClusterClient))
            .ConfigurePrimaryHttpMessageHandler(provider => ApiConnection.Sockets(Options(provider).Url!))
            .AddHttpMessageHandler(() => new RetryHandler());
        services.AddTransient(provider => new ClusterClient(
            provider.GetRequiredService<IHttpClientFactory>().CreateClient(nameof(ClusterClient)), Options(provider).Url!, Options(provider).Token));
        return services;
    }

    private static ClusterClientOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<ClusterClientOptions>>().Value;
}
