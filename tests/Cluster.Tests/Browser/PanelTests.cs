using System.Collections.Immutable;
using System.Text.Json;
using Cluster.Contracts;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Lineage;
using Cluster.Contracts.Spec;
using Cluster.Tests.Api;
using Cluster.Tests.Checkpoints;
using Cluster.Tests.Continual;

namespace Cluster.Tests.Browser;

/// <summary>
/// What a job's page shows of its method, in headless Chromium over an API whose jobs are scripted here: with the pointer, with the keyboard alone,
/// as text for those who see no colours, in the dark, and on a phone.
/// </summary>
public sealed class PanelTests : IAsyncLifetime
{
    private readonly TestApi _api = new();
    private Chromium? _page;

    public async Task InitializeAsync()
    {
        await _api.InitializeAsync();
        if (Chromium.Program is not null) { _page = await Chromium.StartAsync(1280, 900); }
    }

    public async Task DisposeAsync()
    {
        if (_page is not null) { await _page.DisposeAsync(); }
        await _api.DisposeAsync();
    }

    [SkippableFact]
    public async Task Trust_ratios_are_a_heat_map_that_pointer_and_keys_can_read()
    {
        var page = Page();
        var job = Job("digits", "method: lamb\noptimizer: {kind: lamb}");
        job.Curves = Curves(("trustRatio.1.fc1.weight", round => 0.1 * round), ("trustRatio.2.fc2.weight", round => round == 3 ? null : 4), ("trustRatio.10.out.weight", _ => 2));
        await OpenAsync("digits", "grid-trust-ratios", "Number(panel.dataset.cells) === 12");

        // In the model's order, and the newest round first to be read.
        Assert.Equal("1.fc1.weight,2.fc2.weight,10.out.weight", await page.AskAsync("[...document.querySelectorAll('.grid-names div')].map(one => one.title).join()"));
        await page.AskAsync("document.querySelector('canvas.grid').focus()");
        await page.UntilAsync("document.querySelector('.grid-told').textContent === '1.fc1.weight, round 4: 0.4'", "the cell that the focus is on");
        await page.PressAsync("ArrowDown", "ArrowLeft");
        await page.UntilAsync("document.querySelector('.grid-told').textContent === '2.fc2.weight, round 3: nothing was told'", "the cell that the keys led to");
        await page.PressAsync("Home", "ArrowDown", "ArrowDown");
        await page.UntilAsync("document.querySelector('.grid-told').textContent === '10.out.weight, round 1: 2'", "the cell in the corner");
        await page.AskAsync("(() => { const canvas = document.querySelector('canvas.grid'), area = canvas.getBoundingClientRect(); canvas.dispatchEvent(new PointerEvent('pointermove', { clientX: area.left + 0.3 * area.width, clientY: area.top + 4 })); })()");
        await page.UntilAsync("document.querySelector('.grid-told').textContent === '1.fc1.weight, round 2: 0.2'", "the cell under the pointer");

        // The legend has the numbers, and a table has what the colours say.
        Assert.Contains("0.1", await page.AskAsync("document.querySelector('.legend').innerText"), StringComparison.Ordinal);
        await page.AskAsync("document.querySelector('[data-testid=grid-trust-ratios] summary').click()");
        await page.UntilAsync("document.querySelector('[data-testid=grid-trust-ratios] table')?.innerText.includes('0.25')", "the mean in the table");
        Assert.Contains("arrow keys", await page.AskAsync("document.querySelector('canvas.grid').getAttribute('aria-label')"), StringComparison.Ordinal);
        await FitsAsync();
    }

    [SkippableFact]
    public async Task A_federated_job_shows_both_rates_the_product_and_who_took_part()
    {
        var page = Page();
        var job = Job("fed", "method: fedHyper");
        job.Curves = Curves(("globalLr", round => round), ("localLrMin", _ => 0.001), ("localLrMedian", _ => 0.002), ("localLrMax", _ => 0.003), ("updateProduct", round => -round), ("clients", _ => 2));
        for (var round = 3; round <= 4; round++)
        {
            job.Tell(new(round, false, round, round, 0, ImmutableDictionary<string, double>.Empty.Add("loss", 1))
            {
                Clients = [new("client-2", PartKind.LeftOut), new("client-10", PartKind.TookPart)],
            });
        }

        _api.Cluster.Participation = new(
            [new RoundAbsences(1, [new Absence(0, "client-1", AbsenceKind.Late)]), new RoundAbsences(2, [new Absence(1, "client-2", AbsenceKind.Absent)])],
            0, Newest: 2, Recorded: 2, Revised: 0, [new MissedRounds("client-1", 1, 0, 1)]);
        await OpenAsync("fed", "grid-participation", "Number(panel.dataset.cells) === 12");

        foreach (var chart in (string[])["global-rate-alpha", "local-rate-beta", "inner-product", "clients"])
        {
            await page.UntilAsync($"document.querySelector('[data-testid=chart-{chart}] canvas')", chart);
        }

        await page.AskAsync("document.querySelector('[data-testid=grid-participation] summary').click()");
        await page.UntilAsync("document.querySelector('[data-testid=grid-participation] tbody')", "the table");
        Assert.Equal(
            "client-1 0 1 0 0|client-2 0 0 1 2|client-10 2 0 0 0",
            await page.AskAsync("[...document.querySelectorAll('[data-testid=grid-participation] tbody tr')].map(row => [...row.cells].map(cell => cell.textContent).join(' ')).join('|')"));
        await page.AskAsync("document.querySelector('[data-testid=grid-participation] canvas').focus()");
        await page.PressAsync("ArrowDown");
        await page.UntilAsync("document.querySelector('[data-testid=grid-participation] .grid-told').textContent.includes('client-2, round 4: left out')", "who was left out");
        await FitsAsync();
    }

    [SkippableFact]
    public async Task A_forward_forward_job_shows_each_layers_curves_and_what_waits_before_it()
    {
        var page = Page();
        var job = Job("layers", "method: forwardForward");
        job.Curves = Curves(
            [.. from layer in Enumerable.Range(1, 2)
                from name in (string[])["goodnessPositive", "goodnessNegative", "loss", "accuracy", "queue"]
                select (FormattableString.Invariant($"layer{layer}.{name}"), (Func<long, double?>)(round => layer * round))]);
        await OpenAsync("layers", "layers", "panel.querySelectorAll('canvas').length === 5");
        Assert.Contains("layer 2", await page.AskAsync("document.querySelector('[data-testid=chart-layer-queue-depth]').innerText"), StringComparison.Ordinal);
        await FitsAsync();
    }

    [SkippableFact]
    public async Task A_lineage_is_a_picture_whose_states_lead_to_their_checkpoints_by_the_keyboard()
    {
        var page = Page();
        Job("line", ContinualSamples.Yaml);
        using var folder = Lineage("line");
        await OpenAsync("line", "lineage", "panel.querySelectorAll('svg.graph a').length === 4");

        Assert.Equal("plays", await page.AskAsync("document.querySelector('.stage-name').textContent"));
        Assert.Contains("To come: digits, names", await page.AskAsync("document.querySelector('[data-testid=lineage]').innerText"), StringComparison.Ordinal);
        await page.UntilAsync("document.getElementById('checkpoint-10')", "the table of checkpoints");
        await page.AskAsync("[...document.querySelectorAll('svg.graph a')].find(one => one.getAttribute('aria-label').startsWith('release plays')).focus()");
        await page.PressAsync("Enter");
        await page.UntilAsync("document.activeElement.id === 'checkpoint-10' && document.activeElement.innerText.includes('model.safetensors')", "the checkpoint of the release");

        // The release forks from the state before annealing, and the trunk goes on from there.
        var edges = await page.AskAsync("import('/draw/lineage.js').then(m => fetch('/api/v1/jobs/line/lineage').then(r => r.json()).then(v => m.layout(v.checkpoints).edges.map(([a, b]) => `${a.checkpoint.round}-${b.checkpoint.round}`).join()))");
        Assert.Equal("6-14,6-10,14-16", edges);
        await page.UntilAsync("document.querySelector('[data-testid=chart-schedule] canvas')", "the schedule");
        await page.UntilAsync("document.querySelector('[data-testid=chart-schedule]').innerText.includes('Now: stage plays, round 4 of')", "the place on the schedule");
        await page.UntilAsync("[...document.querySelectorAll('[data-testid=lineage] td.number')].some(cell => cell.textContent === '2')", "the forgetting matrix");
        await FitsAsync();
    }

    /// <summary>Nothing turns for ever: what is not there yet says what makes it.</summary>
    [SkippableTheory]
    [InlineData("optimizer: {kind: lamb}", "They come with the first round")]
    [InlineData("method: fedHyper", "Who takes part shows with the first round")]
    [InlineData("method: forwardForward", "The layers' curves come with the first round")]
    [InlineData("method: continual", "the first checkpoint makes one")]
    public async Task A_job_that_has_not_begun_says_what_will_be_seen(string spec, string words)
    {
        var page = Page();
        Job("new", spec, rounds: 0).State = JobState.Waiting;
        await page.GoAsync(new Uri(_api.Url, "/jobs/new"));
        await page.UntilAsync($"document.querySelector('main').innerText.includes({JsonSerializer.Serialize(words)})", words);
    }

    [SkippableFact]
    public async Task The_cluster_shows_what_is_lent_and_the_queue_in_its_order_with_each_jobs_reason()
    {
        var page = Page();
        foreach (var id in (string[])["waiting", "not-queued"]) { _api.Cluster.Add(id, JobState.Waiting); }
        _api.Cluster.AddWorker("busy", "digits");
        _api.Cluster.AddWorker("free");
        await page.GoAsync(_api.Url);
        await page.UntilAsync("document.querySelector('[data-testid=pool]')?.textContent === '2 workers with 4 cores and 0 GPUs: 1 lent to jobs, 1 idle.'", "what the pool has");
        Assert.Equal(
            "1 waiting as the test says|– not-queued as the test says",
            await page.AskAsync("[...[...document.querySelectorAll('section')].find(one => one.querySelector('h2')?.textContent === 'Waiting').querySelectorAll('tbody tr')].map(row => [0, 1, 3].map(cell => row.cells[cell].textContent).join(' ')).join('|')"));
        await FitsAsync();
    }

    /// <summary>What decides in the pages, without a page.</summary>
    [SkippableTheory]
    [InlineData("m.scaleOf([1, 2, null, 'NaN']).share(1.5)", "0.5")]
    [InlineData("m.scaleOf([0.01, 1]).share(0.1)", "0.5")]
    [InlineData("m.scaleOf([0, 100]).isLog", "false")]
    [InlineData("m.scaleOf([3, 3]).share(3)", "0.5")]
    [InlineData("m.scaleOf([null])", "")]
    [InlineData("m.colourAt(0) + m.colourAt(1)", "rgb(68, 1, 84)rgb(253, 231, 37)")]
    [InlineData("JSON.stringify(m.columnsOf([1, 2, 3, 4, 5], [{ name: 'a', values: [1, null, 3, null, 5] }, { name: 'b', values: [null, null, 9, null, null] }], 2))",
        """{"rounds":[1,5],"rows":[{"name":"a","values":[1,5]},{"name":"b","values":[null,9]}]}""")]
    [InlineData("fetch('/style.css').then(r => r.text()).then(css => css.includes(`(to right, ${m.Ramp.map(one => `rgb(${one.join(', ')})`).join(', ')})`))", "true")]
    [InlineData("m.commonStart(['net.fc1.weight', 'net.fc2.weight'])", "net.")]
    [InlineData("JSON.stringify(m.step('ArrowRight', { row: 0, column: 3 }, 2, 4))", """{"row":0,"column":3}""")]
    [InlineData("JSON.stringify(m.step('a', { row: 0, column: 3 }, 2, 4))", "null")]
    public async Task Scales_and_columns(string expression, string expected)
    {
        var page = Page();
        await page.GoAsync(new Uri(_api.Url, "/docs"));
        await page.UntilAsync("document.querySelector('h1')", "a page");
        Assert.Equal(expected, await page.AskAsync($"import('/draw/scales.js').then(m => {expression})"), ignoreCase: true);
    }

    private Chromium Page()
    {
        Skip.If(_page is null, "no Chromium is installed: on Debian, apt-get install chromium");
        return _page!;
    }

    private FakeJob Job(string id, string spec, int rounds = 4)
    {
        var job = _api.Cluster.Add(id);
        job.Submission = new JobSubmission(spec, "hash", "/nowhere", [], 1, 1, Resume: false);
        if (!spec.Contains("fedHyper", StringComparison.Ordinal)) { job.Reach(rounds); }
        return job;
    }

    /// <summary>Of four rounds.</summary>
    private static MetricsView Curves(params (string Name, Func<long, double?> Value)[] series) => new(
        1, [1, 2, 3, 4], [1, 2, 3, 4], series.ToImmutableDictionary(one => one.Name, one => new MetricSeries([.. Enumerable.Range(1, 4).Select(round => one.Value(round))], [], [])), LastSample: 4);

    private async Task OpenAsync(string job, string panel, string condition)
    {
        await _page!.GoAsync(new Uri(_api.Url, $"/jobs/{job}"));
        await _page.UntilAsync($"(panel => panel && {condition})(document.querySelector('[data-testid={panel}]'))", panel);
    }

    /// <summary>In the dark too, and on a phone nothing is wider than the screen; and no policy was broken.</summary>
    private async Task FitsAsync()
    {
        await _page!.SizeAsync(1280, 900, isDark: true);
        await _page.SizeAsync(390, 844, isDark: true);
        await _page.UntilAsync("document.documentElement.scrollWidth <= innerWidth", "a page as narrow as a phone");
        Assert.Empty(_page.Complaints);
    }

    /// <summary>A trunk with a stage's end, its release, and the trunk behind it.</summary>
    private CheckpointFixture Lineage(string id)
    {
        var job = new CheckpointFixture { JobDirectory = Directory.CreateDirectory(Path.Combine(_api.Store, "jobs", id)).FullName };
        File.WriteAllText(Path.Combine(job.JobDirectory, JobLayout.Spec), SpecText.Write(ContinualSamples.Read()));
        LineageNode Node(NodeKind kind, long step, long branch, long? origin, double loss) => new(
            kind, "plays", kind is NodeKind.Release ? "plays" : null, step, branch, 100, IsStageEnd: step == 6, origin)
        {
            Scores = ImmutableSortedDictionary<string, SetScore>.Empty.Add("plays", new SetScore(loss, 0.25, 10)),
        };
        (long Round, LineageNode Node)[] nodes =
        [
            (6, Node(NodeKind.PreAnneal, 6, 0, null, 3)), (10, Node(NodeKind.Release, 6, 3, 6, 2)), (14, Node(NodeKind.Trunk, 9, 0, 6, 3)), (16, Node(NodeKind.Trunk, 11, 0, 6, 3)),
        ];
        using (var writer = job.Open(keep: 4))
        {
            foreach (var (round, node) in nodes) { writer.Save(CheckpointFixture.State((int)round), round, 64 * round, node); }
        }

        File.WriteAllText(
            Path.Combine(job.JobDirectory, JobLayout.Evaluations),
            string.Concat(nodes.Take(2).Select(one => JsonSerializer.Serialize(new EvaluationRecord(one.Round, 64 * one.Round, one.Node, one.Node.Scores!), LineageJson.Default.EvaluationRecord) + '\n')));
        return job;
    }
}
