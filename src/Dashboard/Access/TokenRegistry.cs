using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;
using Cluster.Contracts.Api;

namespace Cluster.Dashboard.Access;

/// <summary>Who somebody is. The id stands in the audit log; the name is for people.</summary>
internal sealed record Caller(string Id, string Name, Role Role);

/// <summary>
/// The tokens that are good now. The file is read again every second while requests come, so that a token that is made or
/// revoked is so in every dashboard a second later.
/// </summary>
/// <remarks>
/// It fails closed: once there was a file, a missing one means that no token is good, and a damaged one that those known before are
/// good still. Without any file, which only an API on loopback may be, everybody is an admin.
/// </remarks>
internal sealed partial class TokenRegistry
{
    private static readonly TimeSpan ReadPeriod = TimeSpan.FromSeconds(1);
    private static readonly Caller Anybody = new("anybody", "anybody on this machine", Role.Admin);
    private static readonly Caller Owner = new("owner", "whoever started this cluster", Role.Admin);

    private readonly Lock _lock = new();
    private readonly TokenFile _file;
    private readonly byte[]? _ownerSecret;
    private readonly TimeProvider _clock;
    private readonly ILogger<TokenRegistry> _logger;
    private FrozenDictionary<string, TokenRecord> _tokens = FrozenDictionary<string, TokenRecord>.Empty;
    private string? _problem;
    private long _readAt;

    /// <exception cref="BadInputException">The file cannot be read.</exception>
    public TokenRegistry(ApiSettings settings, TimeProvider clock, ILogger<TokenRegistry> logger)
    {
        (_clock, _logger) = (clock, logger);
        _file = settings.TokenFile;
        _ownerSecret = settings.ShutdownSecret is { } secret ? Encoding.UTF8.GetBytes(secret) : null;
        IsOpen = !settings.IsGuarded;
        Take(_file.Read());
        _readAt = clock.GetTimestamp();
    }

    /// <summary>Nobody has to say who they are.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Who everybody is while <see cref="IsOpen"/>; null when callers must say who they are.</summary>
    public Caller? Unnamed()
    {
        Refresh();
        return IsOpen ? Anybody : null;
    }

    /// <summary>Whose token it is; null when it is no good.</summary>
    public Caller? Find(string token)
    {
        Refresh();
        if (_ownerSecret is not null && CryptographicOperations.FixedTimeEquals(_ownerSecret, Encoding.UTF8.GetBytes(token))) { return Owner; }
        return TokenRecord.IdOf(token) is { } id && _tokens.TryGetValue(id, out var record) && record.Matches(token, _clock.GetUtcNow())
            ? new(record.Id, record.Name, record.Role)
            : null;
    }

    private void Refresh()
    {
        if (_clock.GetElapsedTime(Volatile.Read(ref _readAt)) < ReadPeriod) { return; }
        lock (_lock)
        {
            if (_clock.GetElapsedTime(_readAt) < ReadPeriod) { return; }
            try
            {
                if (_file.Exists && IsOpen)
                {
                    IsOpen = false;
                    LogClosed(_file.Path);
                }

                Take(_file.Read());
                _problem = null;
            }
            catch (BadInputException e)
            {
                if (_problem != e.Message) { LogProblem(e.Message); }
                _problem = e.Message;
            }

            Volatile.Write(ref _readAt, _clock.GetTimestamp());
        }
    }

    private void Take(TokenList list) => _tokens = list.Tokens.DistinctBy(t => t.Id).ToFrozenDictionary(t => t.Id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "There are tokens now, in {Path}: from here on callers must have one")]
    private partial void LogClosed(string path);

    [LoggerMessage(Level = LogLevel.Error, Message = "The tokens known before stay good, because {Problem}")]
    private partial void LogProblem(string problem);
}
