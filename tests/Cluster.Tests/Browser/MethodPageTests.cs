using Cluster.Cli.Up;
using Cluster.Client;
using Cluster.Contracts.Jobs;
using Cluster.Tests.Data;
using Cluster.Tests.EndToEnd;

namespace Cluster.Tests.Browser;

/// <summary>
/// A small real job of each method, on a real cluster, and the panels that its page has for the method. With <c>CLUSTER_SCREENSHOTS=FOLDER</c>
/// it leaves pictures there.
/// </summary>
[Collection(EndToEndTests.Name)]
public sealed class MethodPageTests
{
    private const string Lamb = """
        name: lamb
        method: lamb
        model: {kind: mlp, hidden: [256, 192, 128, 96, 64]}
        data: {kind: digits}
        batch: 512
        leaf: 64
        epochs: 60
        optimizer: {kind: lamb}
        schedule: {lr: 0.02, warmupEpochs: 2}
        """;

    private const string Federated = """
        name: federated
        method: fedHyper
        model: {kind: mlp, hidden: [64]}
        data: {kind: digits}
        rounds: 60
        federated:
          partition: {kind: dirichlet, clients: 20, alpha: 0.5, minExamples: 8}
          clientsPerRound: 6
          localEpochs: 2
          localBatch: 16
          localLr: 0.002
          scheduler: {kind: fedHyper, variant: g+cl}
          server: {kind: fedAvg}
        evaluate: {everyRounds: 10}
        """;

    private const string ForwardForward = """
        name: layers
        method: forwardForward
        model: {kind: mlp, hidden: [128, 128, 128]}
        data: {kind: digits}
        batch: 100
        leaf: 50
        optimizer: {kind: sgd, momentum: 0.9}
        epochs: 10
        schedule: {lr: 0.003}
        forwardForward: {kind: dense, negatives: randomLabel, label: prepend, parallel: layers}
        checkpoint: {everyRounds: 20}
        workers: {min: 2}
        """;

    private const string Continual = """
        name: continual
        method: continual
        model: {kind: gpt, layers: 1, width: 32, heads: 2, context: 32}
        batch: 16
        leaf: 16
        optimizer: {kind: lamb}
        continual:
          schedule: {kind: infinite, max: 1e-2, constant: 4e-3, min: 4e-4, warmupEnd: 10, cooldownEnd: 60}
          stages:
            - {name: shakespeare, data: {kind: text, files: [text/tinyshakespeare.txt]}, updates: 80, release: {updates: 20}}
            - {name: goethe, data: {kind: text, files: [text/wilhelm-meister.txt]}, updates: 80, mixture: {kind: replay, share: 0.25}, release: {updates: 20}}
            - {name: digits, data: {kind: text, files: [digits/optdigits.tes]}, updates: 400}
          releases: [{at: 40, updates: 15}]
        evaluate: {everyRounds: 50, samples: 32}
        checkpoint: {everyRounds: 40, keep: 3}
        """;

    [SkippableFact]
    public async Task Each_method_has_its_panels_from_a_real_job()
    {
        Skip.If(Chromium.Program is null, "no Chromium is installed: on Debian, apt-get install chromium");
        using var store = new TemporaryFolder();
        using var cluster = Tool.Start("up", "--workers", "2", "--store", store.Path, "--port", "0", "--gateway-port", "0");
        cluster.WaitUntil(() => AddressFile.Read(store.Path) is not null, "the cluster");
        var url = new Uri(AddressFile.Read(store.Path)!.Url);
        using var client = new ClusterClient(url);
        await using var page = await Chromium.StartAsync(1280, 900);

        await ShowAsync(Lamb, "panel-lamb", "grid-trust-ratios", "Number(panel.dataset.cells) > 600", isToEnd: true, alsoElsewhere: true);
        await ShowAsync(Federated, "panel-federated", "federated", "Number(panel.querySelector('[data-testid=grid-participation]').dataset.cells) >= 20 * 60", isToEnd: true);
        await TakeAsync("panel-participation", "grid-participation");
        await ShowAsync(ForwardForward, "panel-layers", "layers", "panel.querySelectorAll('canvas').length === 5", isToEnd: true);
        // Both stages and their releases have been, and the job is within the third.
        await ShowAsync(Continual, "panel-continual", "lineage", "panel.querySelectorAll('.mark.release').length > 3 && panel.innerText.includes('goethe (release goethe)') && panel.innerText.includes('Now: stage digits')", isToEnd: false, alsoElsewhere: true);
        Assert.Empty(page.Complaints);

        async Task ShowAsync(string spec, string picture, string panel, string condition, bool isToEnd, bool alsoElsewhere = false)
        {
            var job = await client.SubmitAsync(new() { Spec = spec }, CancellationToken.None);
            await page.GoAsync(new Uri(url, $"/jobs/{job}"));
            await page.UntilAsync($"(panel => panel && {condition})(document.querySelector('[data-testid={panel}]'))", panel);
            if (!isToEnd) { await client.PauseAsync(job, "it is looked at", CancellationToken.None); }
            var state = isToEnd ? "Succeeded" : "Paused";
            await page.UntilAsync($"document.querySelector('[data-testid=state]').textContent === '{state}'", state);
            await TakeAsync(picture, panel);
            if (alsoElsewhere)
            {
                await page.SizeAsync(1280, 900, isDark: true);
                await TakeAsync($"{picture}-dark", panel);
                await page.SizeAsync(390, 844, isDark: false);
                await page.UntilAsync("document.documentElement.scrollWidth <= innerWidth", "a page as narrow as a phone");
                await TakeAsync($"{picture}-phone", panel);
                await page.SizeAsync(1280, 900, isDark: false);
            }
        }

        async Task TakeAsync(string picture, string panel)
        {
            await page.AskAsync($"document.querySelector('[data-testid={panel}]').scrollIntoView({{ block: 'start' }})");
            await Pictures.TakeAsync(page, picture);
        }
    }
}
