using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;

namespace Cluster.Trainer.Worker;

/// <summary>
/// Settings of a trainer process: section <c>Cluster</c> of its configuration, so <c>Cluster__Gateway</c> in the environment or
/// <c>--Cluster:Gateway</c> on the command line.
/// </summary>
public sealed record TrainerSettings
{
    /// <summary>Address and port of a silo's gateway.</summary>
    public string Gateway { get; init; } = "127.0.0.1:30000";

    /// <summary>Name of this worker, unique among those alive. By default made of host name and process id.</summary>
    public string? Id { get; init; }

    /// <summary>Address on which peers reach this worker; loopback by default. The port is chosen by the system.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>What its operator says of this machine, for people: <c>zone=a,disk=fast</c>; at most 256 characters.</summary>
    public string Labels { get; init; } = "";

    /// <summary>Asked to end (SIGTERM), the worker goes on until its job has let it go, at most so many seconds.</summary>
    public int LeaveSeconds { get; init; } = 60;

    /// <summary>End when standard input closes, and leave Ctrl-C to whoever holds the other end of it.</summary>
    public bool EndWithInput { get; init; }

    internal string WorkerId => Id ?? string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}-{Environment.ProcessId}");

    /// <exception cref="BadInputException">Not an address and a port.</exception>
    internal IPEndPoint GatewayEndPoint()
    {
        if (IPEndPoint.TryParse(Gateway, out var endPoint) && endPoint.Port > 0) { return endPoint; }
        try
        {
            var colon = Gateway.LastIndexOf(':');
            var port = ushort.Parse(Gateway[(colon + 1)..], CultureInfo.InvariantCulture);
            return new IPEndPoint(Dns.GetHostAddresses(Gateway[..colon]).First(), port);
        }
        catch (Exception reason) when (reason is FormatException or OverflowException or ArgumentException or SocketException or InvalidOperationException)
        {
            throw new BadInputException($"Cluster:Gateway is \"{Gateway}\"; it must be host:port of a silo's gateway, for example 127.0.0.1:30000");
        }
    }
}
