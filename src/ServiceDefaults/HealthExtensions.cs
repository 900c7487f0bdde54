using System.Globalization;
using System.Net;
using Cluster.Contracts;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Cluster.ServiceDefaults;

/// <summary>Health endpoints for processes without a web server; see <see cref="HealthDoor"/>.</summary>
public static class HealthExtensions
{
    /// <summary>Port of the health endpoints, on every address of the machine. Without it there are none.</summary>
    public const string PortKey = "Cluster:HealthPort";

    /// <summary>To be called before anything else adds a hosted service: the door opens first and closes last.</summary>
    /// <exception cref="BadInputException">The setting is no port.</exception>
    public static TBuilder AddHealthDoor<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        if (PortFrom(builder.Configuration) is { } port)
        {
            // Made by the container, which then also disposes of it.
            builder.Services.AddSingleton(services => new HealthDoor(port, services.GetRequiredService<IHostApplicationLifetime>()));
            builder.Services.AddHostedService(services => services.GetRequiredService<HealthDoor>());
        }

        return builder;
    }

    /// <summary>
    /// Opens the door that <see cref="AddHealthDoor"/> has added, if any; to be called before the host starts, which would log a port in use
    /// as a fault of its own, with a stack trace.
    /// </summary>
    /// <exception cref="BadInputException">The port cannot be opened.</exception>
    public static void OpenHealthDoor(this IHost host) => host.Services.GetService<HealthDoor>();

    /// <exception cref="BadInputException">The setting is no port.</exception>
    internal static int? PortFrom(IConfiguration configuration) => configuration[PortKey] switch
    {
        null or "" => null,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= IPEndPoint.MaxPort => port,
        var text => throw new BadInputException($"{PortKey} is '{text}': a port from 1 to {IPEndPoint.MaxPort} is needed"),
    };
}
