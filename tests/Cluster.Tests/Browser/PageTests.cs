using System.Globalization;
using Cluster.Cli.Up;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Access;
using Cluster.Tests.Data;
using Cluster.Tests.EndToEnd;

namespace Cluster.Tests.Browser;

/// <summary>
/// A person at the pages of a real cluster with a real job: logs in, submits, sees the curve move, sees a killed worker as a
/// recovery, cancels. With <c>CLUSTER_SCREENSHOTS=FOLDER</c> it leaves pictures there.
/// </summary>
[Collection(EndToEndTests.Name)]
public sealed class PageTests
{
    private const string Spec = """
        name: pages
        method: lamb
        model: {kind: mlp, hidden: [256, 128]}
        data: {kind: digits}
        batch: 512
        leaf: 64
        epochs: 100000
        optimizer: {kind: lamb}
        schedule: {lr: 0.002}
        checkpoint: {everyRounds: 100}
        evaluate: {everyRounds: 50}
        workers: {min: 2}
        """;

    /// <summary>Each page by its link, and something that only it shows.</summary>
    private static readonly (string Name, string Link, string Sign)[] s_tour =
        [("Cluster", "/", "worker-0"), ("Jobs", "/jobs", "pages-"), ("Compare", "/compare", "Nothing is chosen"), ("API", "/docs", "/api/v1/jobs")];

    [SkippableFact]
    public async Task A_person_logs_in_submits_watches_a_recovery_and_cancels()
    {
        Skip.If(Chromium.Program is null, "no Chromium is installed: on Debian, apt-get install chromium");
        using var store = new TemporaryFolder();
        var token = new TokenFile(Path.Combine(store.Path, TokenFile.DefaultName)).Create("Ada", Role.Admin, TimeProvider.System.GetUtcNow(), expires: null).Token;
        using var cluster = Tool.Start("up", "--workers", "2", "--store", store.Path, "--port", "0", "--gateway-port", "0");
        cluster.WaitUntil(() => AddressFile.Read(store.Path) is not null, "the cluster");
        var url = new Uri(AddressFile.Read(store.Path)!.Url);
        await using var page = await Chromium.StartAsync(1280, 900);

        // A stranger is sent to the log-in page, wherever it wants to go; the keyboard is enough.
        await page.GoAsync(new Uri(url, "/submit"));
        await page.UntilAsync("location.pathname === '/login' && document.querySelector('#login button:not(:disabled)')", "the log-in page");
        await page.TypeAsync("#token", "cluster_guess");
        await page.PressAsync("Enter");
        await page.UntilAsync("document.querySelector('#problem').textContent.includes('not known here')", "the refusal of a wrong token");
        await Pictures.TakeAsync(page, "login");
        page.Complaints.Clear(); // The browser notes each answer that is a refusal.
        await page.TypeAsync("#token", token);
        await page.PressAsync("Enter");
        await page.UntilAsync("location.pathname === '/submit' && document.querySelector('#spec')", "the form behind the log-in");
        Assert.DoesNotContain("cluster-token", await page.AskAsync("document.cookie"), StringComparison.Ordinal);

        // A mistake shows while it is typed, with its line; so does that it is gone.
        await page.TypeAsync("#spec", Spec.Replace("batch: 512", "batch: -512", StringComparison.Ordinal));
        await page.UntilAsync("document.querySelector('#verdict').innerText.includes('line 5')", "the mistake's line");
        Assert.Equal("true", (await page.AskAsync("document.querySelector('button[type=submit]').disabled")).ToLowerInvariant());
        await Pictures.TakeAsync(page, "submit");
        await page.TypeAsync("#spec", Spec);
        await page.UntilAsync("!document.querySelector('button[type=submit]').disabled", "the spec's approval");
        await page.AskAsync("(() => { const files = new DataTransfer(); files.items.add(new File(['to be'], 'play.txt')); const field = document.querySelector('#upload'); field.files = files.files; field.dispatchEvent(new Event('change')); })()");
        await page.UntilAsync("document.querySelector('[data-testid=uploaded]').textContent === 'upload:play.txt'", "the uploaded file");
        await page.UntilAsync("!document.querySelector('button[type=submit]').disabled", "the spec's approval, once more");
        await page.ClickAsync("button", "Submit");

        // The curve moves by itself.
        await page.UntilAsync("location.pathname.startsWith('/jobs/pages-')", "the job's page");
        await page.UntilAsync("Number(document.querySelector('[data-testid=chart-loss]')?.dataset.points) > 50", "the curve");
        var before = await PointsAsync(page);
        await page.UntilAsync(string.Create(CultureInfo.InvariantCulture, $"Number(document.querySelector('[data-testid=chart-loss]').dataset.points) > {before + 20}"), "more of the curve");
        Assert.Equal("Running", await page.AskAsync("document.querySelector('[data-testid=state]').textContent"));

        // A killed worker shows as a recovery, without a reload.
        await page.AskAsync("window.stayed = true");
        using (var victim = System.Diagnostics.Process.GetProcessById(cluster.Worker("worker-1"))) { victim.Kill(); }
        await page.UntilAsync("Number(document.querySelector('[data-testid=recoveries]').textContent) > 0 && document.querySelector('li.recovery')", "the recovery");
        before = await PointsAsync(page);
        await page.UntilAsync(string.Create(CultureInfo.InvariantCulture, $"Number(document.querySelector('[data-testid=chart-loss]').dataset.points) > {before + 20}"), "the curve behind the recovery");
        Assert.Equal("true", (await page.AskAsync("window.stayed === true")).ToLowerInvariant());
        await page.ClickAsync("summary", "Logs");
        await page.UntilAsync("document.querySelector('[data-testid=logs]').childNodes.length > 0", "the logs");
        await page.UntilAsync("document.querySelector('a[download$=\"model.safetensors\"]')", "a checkpoint to download");
        await page.AskAsync("scrollTo(0, 0)");
        await Pictures.TakeAsync(page, "job");
        await page.SizeAsync(1280, 900, isDark: true);
        await Pictures.TakeAsync(page, "job-dark");
        await page.SizeAsync(390, 844, isDark: false);
        await page.UntilAsync("document.documentElement.scrollWidth <= innerWidth", "a page as narrow as a phone");
        await Pictures.TakeAsync(page, "job-phone");
        await page.SizeAsync(1280, 900, isDark: false);

        var job = await page.AskAsync("location.pathname");
        foreach (var (name, link, sign) in s_tour)
        {
            await page.ClickAsync("a", name);
            await page.UntilAsync($"location.pathname === '{link}' && document.querySelector('main').innerText.includes('{sign}')", $"the page {name}");
            await Pictures.TakeAsync(page, name.ToLowerInvariant());
        }

        await page.AskAsync($"location.assign('/compare?jobs={job.Split('/')[^1]}')");
        await page.UntilAsync("Number(document.querySelector('[data-testid=chart-comparison]')?.dataset.points) > 20", "the comparison");
        await page.AskAsync($"location.assign('{job}')");
        await page.UntilAsync("[...document.querySelectorAll('button')].some(b => b.textContent === 'Cancel' && !b.disabled)", "the job's page again");
        await page.ClickAsync("button", "Cancel");
        await page.UntilAsync("document.querySelector('[data-testid=state]').textContent === 'Cancelled'", "the end");

        Assert.Empty(page.Complaints);
        await page.ClickAsync("button", "Log out");
        await page.UntilAsync("location.pathname === '/login'", "the log-in page after the log-out");
    }

    private static async Task<long> PointsAsync(Chromium page) =>
        long.Parse(await page.AskAsync("document.querySelector('[data-testid=chart-loss]').dataset.points"), CultureInfo.InvariantCulture);
}
