using System.Net;
using Cluster.Contracts.Jobs;
using Cluster.Dashboard.Pages;

namespace Cluster.Tests.Api;

/// <summary>What the pages ask for beside the rest of the API, and the pages' own files.</summary>
public sealed class PageRouteTests(TestApi api) : IClassFixture<TestApi>
{
    private static readonly CancellationToken s_none = CancellationToken.None;

    [Fact]
    public async Task A_jobs_curves_come_whole_with_gaps_where_a_value_was_not_finite()
    {
        api.Cluster.Add("curved").Reach(3);
        var metrics = await api.Client.MetricsAsync("curved", s_none);
        Assert.Equal([1L, 2L, 3L], metrics.Rounds.AsEnumerable());
        Assert.Equal([1, null, 1.0 / 3], metrics.Series["loss"].Mean.AsEnumerable());
        Assert.Equal(3, metrics.LastSample);
    }

    [Fact]
    public async Task A_stream_begins_behind_the_sample_that_is_asked_with()
    {
        var job = api.Cluster.Add("later", JobState.Succeeded);
        job.Reach(5);
        var text = await api.Http.GetStringAsync("jobs/later/events?after=4");
        Assert.Contains("\"round\":5", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"round\":4,", text, StringComparison.Ordinal);
        await TestApi.ProblemAsync(await api.Http.GetAsync("jobs/later/events?after=-1"), HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_spec_is_checked_and_nothing_is_submitted()
    {
        var before = (await api.Client.ListAsync(0, 1, null, s_none)).Total;
        var good = await api.Client.ValidateAsync(new(TestApi.Spec, ["seed=7"]), s_none);
        Assert.Equal(("digits", "lamb", 64), (good.Name, good.Method, good.SpecHash!.Length));
        Assert.Contains("seed: 7", good.EffectiveSpec, StringComparison.Ordinal);
        var wrong = await api.Client.ValidateAsync(new(TestApi.Spec.Replace("batch: 64", "batch: many", StringComparison.Ordinal)), s_none);
        Assert.Contains(wrong.Problems, p => p is { Line: 5, Key: "batch" });
        Assert.Null(wrong.SpecHash);
        Assert.Equal(before, (await api.Client.ListAsync(0, 1, null, s_none)).Total);
    }

    [Fact]
    public async Task A_file_of_the_pages_comes_with_its_kind_and_is_not_sent_twice()
    {
        using var first = await api.Http.GetAsync("/app.js");
        Assert.Equal("text/javascript", first.Content.Headers.ContentType!.MediaType);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/app.js");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await api.Http.SendAsync(again)).StatusCode);
        Assert.Equal("text/html", (await api.Http.GetAsync("/jobs/any")).Content.Headers.ContentType!.MediaType);
    }

    /// <summary>Else a browser hears of each only when it has read the one that imports it: a chain of requests before a page begins.</summary>
    [Fact]
    public void Every_module_is_named_in_the_page_that_needs_them()
    {
        var files = PageFile.All().ToArray();
        var page = System.Text.Encoding.UTF8.GetString(files.Single(file => file.Name == "index.html").Content);
        var named = System.Text.RegularExpressions.Regex.Matches(page, "modulepreload\" href=\"/([\\w/]+\\.js)\"").Select(match => match.Groups[1].Value);
        Assert.Equal(
            files.Select(file => file.Name).Where(name => name.EndsWith(".js", StringComparison.Ordinal) && !name.StartsWith("lib/", StringComparison.Ordinal) && name is not ("app.js" or "login.js")).Order(),
            named.Order());
    }

    /// <summary>What the policy forbids would fail in the browser alone; and a file that is named must be there.</summary>
    [Fact]
    public void Pages_hold_no_script_no_style_and_no_address_of_elsewhere()
    {
        var files = PageFile.All().ToArray();
        var names = files.Select(f => f.Name).ToHashSet();
        Assert.Superset(new HashSet<string>(["index.html", "login.html", "app.js", "pages/job.js", "lib/uplot.js", "lib/uplot.LICENSE.txt"]), names);
        foreach (var file in files.Where(f => !f.Name.StartsWith("lib/", StringComparison.Ordinal)))
        {
            var text = System.Text.Encoding.UTF8.GetString(file.Content);
            foreach (var banned in (string[])["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", " style=\"", "<style", "https://", "onclick=\""])
            {
                Assert.False(text.Contains(banned, StringComparison.Ordinal), $"{file.Name} holds {banned}");
            }

            foreach (System.Text.RegularExpressions.Match named in System.Text.RegularExpressions.Regex.Matches(text, """from "(\.{1,2}/[\w./]+)"|(?:src|href)="/([\w/]+\.\w+)["]"""))
            {
                var name = named.Groups[2].Success ? named.Groups[2].Value : Path.GetRelativePath(".", Path.Combine(Path.GetDirectoryName(file.Name)!, named.Groups[1].Value));
                Assert.Contains(name, names);
            }
        }
    }
}
