using System.Collections.Concurrent;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Access;
using Microsoft.Extensions.Logging;

namespace Cluster.Tests.Api.Access;

/// <summary>The API with a token of each role, and everything that it logs.</summary>
public sealed class GuardedApi : IAsyncLifetime
{
    public TestApi Api { get; } = new();

    public LogRecorder Logs { get; } = new();

    public IReadOnlyDictionary<Role, string> Tokens { get; private set; } = null!;

    internal TokenFile File => new(Path.Combine(Api.Store, TokenFile.DefaultName));

    public async Task InitializeAsync()
    {
        Tokens = Enum.GetValues<Role>().Where(role => role is not Role.None)
            .ToDictionary(role => role, role => File.Create($"a {role}", role, TimeProvider.System.GetUtcNow(), expires: null).Token);
        Api.Logs = builder => builder.AddProvider(Logs).SetMinimumLevel(LogLevel.Trace).AddFilter<LogRecorder>(null, LogLevel.Trace);
        await Api.InitializeAsync();
    }

    public Task DisposeAsync() => Api.DisposeAsync();

    /// <summary>A client of this role; of none for a stranger.</summary>
    public HttpClient Http(Role role) => Http(role is Role.None ? null : Tokens[role]);

    public HttpClient Http(string? token)
    {
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new Uri(Api.Url, "/api/v1/") };
        if (token is not null) { http.DefaultRequestHeaders.Authorization = new("Bearer", token); }
        return http;
    }
}

/// <summary>Everything that is logged, at every level, as text.</summary>
public sealed class LogRecorder : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyCollection<string> Lines => _lines;

    public IEnumerable<string> Of(string category) => _lines.Where(line => line.StartsWith(category + ":", StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, _lines);

    public void Dispose()
    {
    }

    private sealed class Logger(string category, ConcurrentQueue<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            lines.Enqueue($"{category}: scope {state}");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{category}: {formatter(state, exception)} {exception}");
    }
}
