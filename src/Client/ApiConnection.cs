using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cluster.Contracts;
using Cluster.Contracts.Api;

namespace Cluster.Client;

/// <summary>Sends requests to the API, and turns what comes back into values or into the two exceptions of the SDK.</summary>
internal sealed class ApiConnection : IDisposable
{
    /// <summary>Until an answer begins; longer than the cluster itself waits for its control plane.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(40);

    /// <summary>Of an event stream, three times as long as between two of its pings: the other side is gone without a word.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(45);

    private static readonly HttpRequestOptionsKey<bool> s_takesItsTime = new("cluster.takes-its-time");

    private readonly HttpClient _http;

    /// <param name="token">Sent with every request, and to this address alone: redirections are not followed.</param>
    /// <exception cref="BadInputException">Not an address of this kind.</exception>
    public ApiConnection(Uri url, string? token)
        : this(new HttpClient(new RetryHandler(Sockets(url))), url, token)
    {
    }

    /// <param name="http">Retries by itself; belongs to this connection from now on.</param>
    /// <exception cref="BadInputException">Not an address of this kind.</exception>
    public ApiConnection(HttpClient http, Uri url, string? token)
    {
        (_http, Url) = (http, Checked(url));
        (_http.BaseAddress, _http.Timeout) = (new Uri(url, "/api/v1/"), System.Threading.Timeout.InfiniteTimeSpan); // Each request has its own.
        if (token is not null && (token.Length == 0 || token.Any(c => !char.IsAscii(c) || char.IsControl(c) || c == ' ')))
        {
            throw new BadInputException("the token holds characters that no token has: 'cluster token create' prints it as one word");
        }

        if (token is not null) { _http.DefaultRequestHeaders.Authorization = new("Bearer", token); }
    }

    public static SocketsHttpHandler Sockets(Uri url) => new()
    {
        UseProxy = !Checked(url).IsLoopback, // A proxy has its own loopback.
        AllowAutoRedirect = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectTimeout = TimeSpan.FromSeconds(5),
    };

    public Uri Url { get; }

    public static HttpRequestMessage Get(string path) => new HttpRequestMessage(HttpMethod.Get, path).AndRetry(Retries.Moment);

    /// <summary>The API takes every POST as JSON, also one that says nothing.</summary>
    public static HttpRequestMessage Post(string path) => new(HttpMethod.Post, path) { Content = new StringContent("{}", Encoding.UTF8, "application/json") };

    /// <summary>
    /// Tells the body's length and sends it once the API wants it: one that refuses a body for its size closes the connection,
    /// and whoever is still sending would hear of that alone.
    /// </summary>
    public static HttpRequestMessage Post<T>(string path, T body, JsonTypeInfo<T> type)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, type));
        content.Headers.ContentType = new("application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        request.Headers.ExpectContinue = true;
        return request;
    }

    /// <summary>A body of any length, which may take any time; as the one before, it is sent once the API wants it.</summary>
    public static HttpRequestMessage Put(string path, Stream content)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, path) { Content = new UploadContent(content) };
        request.Headers.ExpectContinue = true;
        request.Options.Set(s_takesItsTime, true);
        return request;
    }

    public async Task<T> SendAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var response = await OpenAsync(request, cancellationToken);
        return await Reading(async () => await response.Content.ReadFromJsonAsync(type, cancellationToken), cancellationToken)
            ?? throw new BadInputException($"what answers at {Url} is no cluster: its answer is null");
    }

    public async Task CopyAsync(HttpRequestMessage request, Stream into, CancellationToken cancellationToken)
    {
        using var response = await OpenAsync(request, cancellationToken);
        await Reading(async () =>
        {
            await response.Content.CopyToAsync(into, cancellationToken);
            return true;
        }, cancellationToken);
    }

    /// <summary>
    /// The data of all events of one name until the stream's end. A stream that breaks off is asked for again behind the last
    /// event that came; only what was never there is given up at once.
    /// </summary>
    public async IAsyncEnumerable<T> EventsAsync<T>(string path, string name, JsonTypeInfo<T> type, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? lastId = null;
        for (var patience = Retries.Moment; ; patience = Retries.HalfAMinute)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, path).AndRetry(patience);
            if (lastId is not null) { request.Headers.Add("Last-Event-ID", lastId); }
            using var response = await OpenAsync(request, cancellationToken);
            var parser = SseParser.Create(await response.Content.ReadAsStreamAsync(cancellationToken), (_, data) => Encoding.UTF8.GetString(data));
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await using var events = parser.EnumerateAsync(silence.Token).GetAsyncEnumerator(silence.Token);
            while (await MoveAsync(events, silence, cancellationToken))
            {
                lastId = parser.LastEventId is { Length: > 0 } id ? id : lastId;
                if (events.Current.EventType == ApiEvents.End) { yield break; }
                if (events.Current.EventType == name) { yield return JsonSerializer.Deserialize(events.Current.Data, type)!; }
            }
        }
    }

    public void Dispose() => _http.Dispose();

    /// <returns>False when the stream ended or broke off: either way it is asked for again.</returns>
    private static async Task<bool> MoveAsync(IAsyncEnumerator<SseItem<string>> events, CancellationTokenSource silence, CancellationToken cancellationToken)
    {
        try
        {
            silence.CancelAfter(Silence);
            return await events.MoveNextAsync();
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
    }

    /// <summary>The answer, its body still to be read, when it is a good one.</summary>
    private async Task<HttpResponseMessage> OpenAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (!request.Options.TryGetValue(s_takesItsTime, out _)) { limit.CancelAfter(Timeout); }
            var response = await Reading(() => _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token), cancellationToken);
            if (response.IsSuccessStatusCode) { return response; }
            using (response) { throw await RefusalAsync(response, cancellationToken); }
        }
    }

    private static Uri Checked(Uri url) => url.IsAbsoluteUri && url.Scheme is ("http" or "https")
        ? url
        : throw new BadInputException($"'{url}' is not the address of a cluster: one such as {ClusterView.DefaultUrl} is needed");

    private async Task<Exception> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var words = await ProblemAsync(response.Content, cancellationToken)
            ?? $"what answers at {Url} is no cluster: it says {(int)response.StatusCode} to {response.RequestMessage?.RequestUri?.PathAndQuery}";
        return response.StatusCode is >= HttpStatusCode.InternalServerError and not HttpStatusCode.InsufficientStorage
            ? new ClusterUnreachableException(words, cause: null)
            : new BadInputException(words);
    }

    private static async Task<string?> ProblemAsync(HttpContent content, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentType?.MediaType != ApiProblem.ContentType) { return null; }
        try
        {
            return (await content.ReadFromJsonAsync(ApiJson.Default.ApiProblem, cancellationToken))?.Detail;
        }
        catch (Exception e) when (e is JsonException or HttpRequestException or IOException)
        {
            return null;
        }
    }

    private async Task<T> Reading<T>(Func<Task<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var why = e is OperationCanceledException ? $"nothing came in {Timeout.TotalSeconds} s" : e.Message;
            throw new ClusterUnreachableException($"no cluster answers at {Url}: {why}", e);
        }
        catch (JsonException e)
        {
            throw new BadInputException($"what answers at {Url} is no cluster of this version: {e.Message}");
        }
    }
}
