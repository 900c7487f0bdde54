using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;

namespace Cluster.ServiceDefaults;

/// <summary>Why a port that somebody set cannot be opened, in that person's words.</summary>
public static class PortProblem
{
    /// <param name="setBy">The setting or option that asks for the port.</param>
    /// <param name="addressSetBy">The setting that asks for the address.</param>
    public static BadInputException Of(SocketException problem, IPAddress address, int port, string setBy, string addressSetBy) => new(problem.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse =>
            $"port {port} on {address} is in use, and {setBy} asks for it: end the program that holds it, set another port, or 0 to let the system choose.",
        SocketError.AccessDenied =>
            $"port {port} on {address} may not be used by this user, and {setBy} asks for it: set a port from 1024 on, or 0 to let the system choose.",
        SocketError.AddressNotAvailable => $"{address} is not an address of this machine: set {addressSetBy} to one that is.",
        _ => $"port {port} on {address} ({setBy}) cannot be opened: {problem.Message}.",
    });
}
