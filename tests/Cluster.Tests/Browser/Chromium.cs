using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cluster.Tests.Browser;

/// <summary>
/// A headless Chromium with one page, driven by its DevTools protocol: what a person sees and does, and nothing of a library.
/// </summary>
internal sealed class Chromium : IAsyncDisposable
{
    private static readonly string[] s_paths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly string _profile;
    private readonly ClientWebSocket _socket;
    private int _lastId;

    private Chromium(Process process, string profile, ClientWebSocket socket) => (_process, _profile, _socket) = (process, profile, socket);

    /// <summary>What the page's console said that is wrong: scripts that failed, policies that were broken.</summary>
    public List<string> Complaints { get; } = [];

    /// <summary>Where it is installed; null where it is not. <c>CLUSTER_CHROMIUM</c> names another.</summary>
    public static string? Program { get; } = Environment.GetEnvironmentVariable("CLUSTER_CHROMIUM") is { Length: > 0 } named ? named : s_paths.FirstOrDefault(File.Exists);

    public static async Task<Chromium> StartAsync(int width, int height)
    {
        var profile = Directory.CreateTempSubdirectory("cluster-chromium-").FullName;
        string[] flags =
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0", $"--user-data-dir={profile}", string.Create(CultureInfo.InvariantCulture, $"--window-size={width},{height}"), "about:blank",
        ];
        var process = Process.Start(new ProcessStartInfo(Program!, flags) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        var portFile = Path.Combine(profile, "DevToolsActivePort");
        var port = "";
        await UntilAsync(() => Task.FromResult(File.Exists(portFile) && (port = File.ReadAllLines(portFile).FirstOrDefault() ?? "").Length > 0), "Chromium's port");
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var target = JsonNode.Parse(await http.GetStringAsync($"http://127.0.0.1:{port}/json/list"))!.AsArray().First(t => (string?)t!["type"] == "page");
        var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        await socket.ConnectAsync(new Uri((string)target!["webSocketDebuggerUrl"]!), CancellationToken.None);
        var chromium = new Chromium(process, profile, socket);
        foreach (var domain in (string[])["Page", "Runtime", "Log"]) { await chromium.SendAsync($"{domain}.enable"); }
        await chromium.SendAsync("Performance.enable", new() { ["timeDomain"] = "threadTicks" });
        await chromium.SendAsync("Emulation.setFocusEmulationEnabled", new() { ["enabled"] = true }); // A window that nobody sees has the focus all the same.
        await chromium.SizeAsync(width, height, isDark: false);
        return chromium;
    }

    public async Task SizeAsync(int width, int height, bool isDark)
    {
        await SendAsync("Emulation.setDeviceMetricsOverride", new() { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = width < 600 });
        var scheme = new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = isDark ? "dark" : "light" };
        await SendAsync("Emulation.setEmulatedMedia", new() { ["features"] = new JsonArray(scheme) });
    }

    /// <summary>Runs a script in every page from now on, before its own.</summary>
    public Task AddScriptAsync(string script) => SendAsync("Page.addScriptToEvaluateOnNewDocument", new() { ["source"] = script });

    /// <summary>Processor time of the page's main thread since its process began: what it takes itself, however busy the machine is.</summary>
    public async Task<TimeSpan> ProcessorTimeAsync()
    {
        var answer = await SendAsync("Performance.getMetrics");
        return TimeSpan.FromSeconds((double)answer["metrics"]!.AsArray().First(one => (string?)one!["name"] == "TaskDuration")!["value"]!);
    }

    public Task GoAsync(Uri url) => SendAsync("Page.navigate", new() { ["url"] = url.ToString() });

    /// <summary>The value of a script's expression, as text; empty for nothing, and the fault where it has one, such as a page that is being left.</summary>
    public async Task<string> AskAsync(string expression)
    {
        JsonObject answer;
        try
        {
            answer = await SendAsync("Runtime.evaluate", new() { ["expression"] = expression, ["awaitPromise"] = true, ["returnByValue"] = true });
        }
        catch (InvalidOperationException left)
        {
            return $"fault: {left.Message}";
        }

        return answer["exceptionDetails"] is { } fault ? $"fault: {fault["exception"]?["description"] ?? fault["text"]}" : answer["result"]?["value"]?.ToString() ?? "";
    }

    /// <summary>Waits until the expression is true in the page.</summary>
    public async Task UntilAsync(string expression, string what)
    {
        try
        {
            await UntilAsync(async () => await AskAsync($"Boolean({expression})") is "true" or "True", what);
        }
        catch (TimeoutException late)
        {
            Assert.Fail($"{late.Message}; the page shows:\n{await AskAsync("document.body.innerText")}\n{string.Join('\n', Complaints)}");
        }
    }

    /// <summary>As a person types: the page hears of it.</summary>
    public Task TypeAsync(string selector, string text) => AskAsync(
        $$"""(() => { const box = document.querySelector({{JsonSerializer.Serialize(selector)}}); box.focus(); box.value = {{JsonSerializer.Serialize(text)}}; box.dispatchEvent(new Event("input", { bubbles: true })); })()""");

    /// <summary>Keys of a keyboard, one after the other, where the focus is.</summary>
    public async Task PressAsync(params string[] keys)
    {
        foreach (var key in keys)
        {
            var code = key switch
            {
                "Enter" => 13, "Tab" => 9, " " => 32, "End" => 35, "Home" => 36, "ArrowLeft" => 37, "ArrowUp" => 38, "ArrowRight" => 39, "ArrowDown" => 40,
                _ => throw new ArgumentException(key),
            };
            var down = new JsonObject { ["type"] = "keyDown", ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code, ["text"] = key switch { "Enter" => "\r", " " => " ", _ => "" } };
            await SendAsync("Input.dispatchKeyEvent", down);
            await SendAsync("Input.dispatchKeyEvent", new() { ["type"] = "keyUp", ["key"] = key, ["windowsVirtualKeyCode"] = code });
        }
    }

    public Task ClickAsync(string kind, string text) => AskAsync(
        $$"""[...document.querySelectorAll("{{kind}}")].find(one => one.textContent.trim() === {{JsonSerializer.Serialize(text)}} && !one.disabled).click()""");

    /// <summary>A picture of the whole page, as a PNG.</summary>
    public async Task<byte[]> PictureAsync()
    {
        var answer = await SendAsync("Page.captureScreenshot", new() { ["format"] = "png" });
        return Convert.FromBase64String((string)answer["data"]!);
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        if (!_process.HasExited) { _process.Kill(entireProcessTree: true); }
        await _process.WaitForExitAsync();
        _process.Dispose();
        try { Directory.Delete(_profile, recursive: true); }
        catch (IOException) { } // A helper of the browser may still be writing; the system clears its folder of temporary files.
    }

    /// <summary>One command after the other; what comes in between is an event.</summary>
    private async Task<JsonObject> SendAsync(string method, JsonObject? parameters = null)
    {
        var id = ++_lastId;
        var request = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters ?? [] };
        using var deadline = new CancellationTokenSource(s_patience);
        await _socket.SendAsync(System.Text.Encoding.UTF8.GetBytes(request.ToJsonString()), WebSocketMessageType.Text, endOfMessage: true, deadline.Token);
        while (true)
        {
            var message = await ReceiveAsync(deadline.Token);
            if ((int?)message["id"] == id) { return message["result"]?.AsObject() ?? throw new InvalidOperationException($"{method}: {message["error"]}"); }
            if ((string?)message["method"] is "Runtime.exceptionThrown" or "Log.entryAdded" && message["params"]!.ToJsonString() is var text && text.Contains("error", StringComparison.OrdinalIgnoreCase)) { Complaints.Add(text); }
        }
    }

    private async Task<JsonObject> ReceiveAsync(CancellationToken cancellationToken)
    {
        using var whole = new MemoryStream();
        var part = new byte[1 << 16];
        WebSocketReceiveResult received;
        do
        {
            received = await _socket.ReceiveAsync(part, cancellationToken);
            whole.Write(part, 0, received.Count);
        }
        while (!received.EndOfMessage);
        return JsonNode.Parse(whole.ToArray())!.AsObject();
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo, string what)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            if (Stopwatch.GetElapsedTime(began) > s_patience) { throw new TimeoutException($"{what} did not come within {s_patience.TotalSeconds:0} s"); }
            await Task.Delay(100);
        }
    }
}
