using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;
using Cluster.ServiceDefaults;

namespace Cluster.Grains.Hosting;

/// <summary>
/// Orleans wants to know its ports before it listens, so a free one is found by listening on port 0 for a moment. Another
/// process may take it in between: whoever starts the silo tries again.
/// </summary>
internal static class Ports
{
    /// <summary>A port for each choice, all different.</summary>
    /// <exception cref="BadInputException">A port that the user chose is in use, or may not be used.</exception>
    public static int[] Choose(IPAddress address, params ReadOnlySpan<PortChoice> choices)
    {
        var held = new List<TcpListener>();
        try
        {
            var ports = new int[choices.Length];
            for (var i = 0; i < ports.Length; i++)
            {
                var listener = Listen(address, choices[i]);
                held.Add(listener);
                ports[i] = ((IPEndPoint)listener.LocalEndpoint).Port;
            }

            return ports;
        }
        finally
        {
            held.ForEach(listener => listener.Stop());
        }
    }

    private static TcpListener Listen(IPAddress address, PortChoice choice)
    {
        var listener = new TcpListener(address, choice.Number);
        try
        {
            listener.Start();
            return listener;
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw PortProblem.Of(e, address, choice.Number, choice.SetBy, "Orleans:Endpoints:AdvertisedIPAddress");
        }
    }
}
