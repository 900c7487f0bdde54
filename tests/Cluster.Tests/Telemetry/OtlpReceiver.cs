using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Cluster.Tests.EndToEnd;
using Google.Protobuf;

namespace Cluster.Tests.Telemetry;

/// <summary>
/// Takes what processes export with OTLP over HTTP: <c>/v1/traces</c>, <c>/v1/metrics</c> and <c>/v1/logs</c> in protobuf. Knows of the messages
/// what the tests ask; field numbers are those of opentelemetry-proto 1.
/// </summary>
internal sealed class OtlpReceiver : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _serving;

    public OtlpReceiver()
    {
        Url = $"http://127.0.0.1:{FreePort.Take()}";
        _listener.Prefixes.Add($"{Url}/");
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Url { get; }

    public ConcurrentQueue<Span> Spans { get; } = new();

    public ConcurrentQueue<LogLine> Logs { get; } = new();

    /// <summary>By service and name.</summary>
    public ConcurrentDictionary<(string Service, string Name), bool> Metrics { get; } = new();

    public void Dispose()
    {
        _listener.Close();
        _serving.Wait();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                Take(context.Request.Url!.AbsolutePath, body.ToArray());
                context.Response.ContentType = "application/x-protobuf";
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }

    private void Take(string path, byte[] request)
    {
        foreach (var resource in Message.Read(request)[1])
        {
            var service = ServiceOf(Message.Read(resource)[1].Single());
            foreach (var item in Message.Read(resource)[2].SelectMany(scope => Message.Read(scope)[2]).Select(Message.Read))
            {
                switch (path)
                {
                    case "/v1/traces": Spans.Enqueue(new(service, Text(item[5]), Hex(item[1]), Hex(item[2]), Hex(item[4]))); break;
                    case "/v1/logs": Logs.Enqueue(new(service, Text(Message.Read(item[5].Single())[1]), Hex(item[9]))); break;
                    case "/v1/metrics": Metrics.TryAdd((service, Text(item[1])), true); break;
                }
            }
        }
    }

    private static string ServiceOf(byte[] resource) => Text(Message.Read(
        Message.Read(resource)[1].Select(Message.Read).Single(attribute => Text(attribute[1]) == "service.name")[2].Single())[1]);

    private static string Text(IEnumerable<byte[]> field) => Encoding.UTF8.GetString(field.FirstOrDefault([]));

    private static string Hex(IEnumerable<byte[]> field) => Convert.ToHexStringLower(field.FirstOrDefault([]));

    internal sealed record Span(string Service, string Name, string Trace, string Id, string Parent);

    internal sealed record LogLine(string Service, string Text, string Trace);

    /// <summary>The fields of a message that have a length (texts, bytes, messages), by number.</summary>
    private static class Message
    {
        public static ILookup<int, byte[]> Read(byte[] bytes)
        {
            using var input = new CodedInputStream(bytes);
            var fields = new List<(int Number, byte[] Value)>();
            while (input.ReadTag() is not 0 and var tag)
            {
                if (WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited) { fields.Add((WireFormat.GetTagFieldNumber(tag), input.ReadBytes().ToByteArray())); }
                else { input.SkipLastField(); }
            }

            return fields.ToLookup(field => field.Number, field => field.Value);
        }
    }
}
