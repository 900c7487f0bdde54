using System.Collections.Immutable;
using System.Net;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>One rank's part in one generation of a job: who it is, who the others are, and what proves that it belongs.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Generation">Fencing number; grows with every change of membership.</param>
/// <param name="Rank">Index of this process in <paramref name="Members"/>.</param>
/// <param name="Members">Where each rank's <see cref="DataPlaneListener"/> is reached, in order of rank.</param>
/// <param name="Secret">32 bytes that all members know and nobody else.</param>
internal sealed record MeshMembership(string JobId, long Generation, int Rank, ImmutableArray<EndPoint> Members, ImmutableArray<byte> Secret)
{
    public const int SecretBytes = 32;

    public int Rank { get; } = Rank >= 0 && Rank < Members.Length
        ? Rank
        : throw new ArgumentOutOfRangeException(nameof(Rank), Rank, $"ranks lie in [0, {Members.Length})");

    public ImmutableArray<byte> Secret { get; } = Secret.Length == SecretBytes
        ? Secret
        : throw new ArgumentException($"a secret has {SecretBytes} bytes, not {Secret.Length}", nameof(Secret));

    /// <summary>How long a peer may make no progress before it counts as lost; also the limit of one connection attempt.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether this rank shares memory with the others where all run on one host; if one does not, none does.</summary>
    public bool SharesMemory { get; init; } = true;

    public int Size => Members.Length;

    /// <summary>The end point of a host that is named by address or by name.</summary>
    public static EndPoint EndPointOf(string host, int port) =>
        IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);

    public override string ToString() => $"{JobId} generation {Generation} rank {Rank} of {Size}"; // Without the secret.
}
