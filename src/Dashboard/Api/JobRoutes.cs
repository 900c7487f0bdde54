using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;
using Cluster.Dashboard.Access;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Api;

/// <summary><c>/jobs</c>: lists and shows jobs, and asks them to end, pause or go on.</summary>
internal static class JobRoutes
{
    private const int MaxCount = 500;

    /// <summary>Jobs that one request looks at: each is a grain that may have to be loaded.</summary>
    private const int MaxLooked = 1_000;

    public static void MapJobs(this RouteGroupBuilder api)
    {
        api.MapGet("/jobs", ListAsync).For(Role.Viewer)
            .Answers<JobPage>("ListJobs", "Jobs, newest first");
        api.MapGet("/jobs/{id}", ShowAsync).For(Role.Viewer)
            .Answers<JobView>("GetJob", "A job, without samples");
        api.MapGet("/jobs/{id}/samples", SamplesAsync).For(Role.Viewer)
            .Answers<SamplePage>("ListSamples", "Samples of the newest rounds, oldest first");
        api.MapPost("/jobs/{id}/cancel", CancelAsync).For(Role.Submitter)
            .Takes<ReasonRequest>(isOptional: true).Answers<JobSummary>("CancelJob", "Ends a job at a checkpoint");
        api.MapPost("/jobs/{id}/pause", PauseAsync).For(Role.Submitter)
            .Takes<ReasonRequest>(isOptional: true).Answers<JobSummary>("PauseJob", "Parks a job at a checkpoint");
        api.MapPost("/jobs/{id}/resume", ResumeAsync).For(Role.Submitter)
            .Answers<JobSummary>("ResumeJob", "Lets a job go on from its newest checkpoint");
    }

    private static async Task<JsonHttpResult<JobPage>> ListAsync(
        int? skip, int? count, string? state, ControlPlane plane, CancellationToken cancellationToken)
    {
        var wanted = Requests.CheckRange(count, 50, "count", 1, MaxCount);
        var from = Requests.CheckRange(skip, 0, "skip", 0, int.MaxValue - MaxLooked);
        var only = state is null ? (JobState?)null : ParseState(state);

        var pageSize = only is null ? wanted : MaxCount; // A rare state is looked for in long strides.
        var jobs = new List<JobSummary>();
        for (var next = from; ;)
        {
            var page = await plane.ListAsync(next, pageSize, cancellationToken);
            var summaries = await Task.WhenAll(page.Ids.Select(id => plane.SummaryAsync(id, cancellationToken)));
            foreach (var summary in summaries)
            {
                if (jobs.Count == wanted) { break; }
                next++;
                if (only is null || summary.State == only) { jobs.Add(summary); }
            }

            var isEnd = page.Ids.IsEmpty || next >= page.Total;
            if (isEnd || jobs.Count == wanted || next - from >= MaxLooked)
            {
                return TypedResults.Json(new JobPage([.. jobs], page.Total, isEnd ? null : next), ApiJson.Default.JobPage);
            }
        }
    }

    private static async Task<JsonHttpResult<JobView>> ShowAsync(string id, ControlPlane plane, CancellationToken cancellationToken) =>
        TypedResults.Json(await plane.JobAsync(id, cancellationToken), ApiJson.Default.JobView);

    private static async Task<JsonHttpResult<SamplePage>> SamplesAsync(string id, long? after, ControlPlane plane, CancellationToken cancellationToken)
    {
        if (after < 0) { throw ApiRefusal.Wrong($"after is {after}; allowed: 0 or more"); }
        var view = await plane.ViewAsync(Requests.CheckId(id, "job"), after ?? 0, cancellationToken);
        return view.State is JobState.Unknown
            ? throw ApiRefusal.Missing($"there is no job {id}")
            : TypedResults.Json(new SamplePage(view.Samples, view.LastSample), ApiJson.Default.SamplePage);
    }

    private static Task<JsonHttpResult<JobSummary>> CancelAsync(string id, HttpContext context, ControlPlane plane, CancellationToken cancellationToken) =>
        OrderAsync(id, plane, async () => await plane.StopAsync(id, await ReasonAsync(context, "cancelled by request", cancellationToken), cancellationToken), cancellationToken);

    private static Task<JsonHttpResult<JobSummary>> PauseAsync(string id, HttpContext context, ControlPlane plane, CancellationToken cancellationToken) =>
        OrderAsync(id, plane, async () => await plane.PauseAsync(id, await ReasonAsync(context, "paused by request", cancellationToken), cancellationToken), cancellationToken);

    private static Task<JsonHttpResult<JobSummary>> ResumeAsync(string id, ControlPlane plane, CancellationToken cancellationToken) =>
        OrderAsync(id, plane, () => plane.ResumeAsync(id, cancellationToken), cancellationToken);

    /// <summary>The answer is the job as it is after the order; what is asked for may take until the next checkpoint.</summary>
    private static async Task<JsonHttpResult<JobSummary>> OrderAsync(string id, ControlPlane plane, Func<Task<string?>> order, CancellationToken cancellationToken)
    {
        await plane.JobAsync(id, cancellationToken);
        return await order() is { } refusal
            ? throw ApiRefusal.Conflict(refusal)
            : TypedResults.Json(await plane.SummaryAsync(id, cancellationToken), ApiJson.Default.JobSummary);
    }

    /// <summary>An empty body asks for no reason of its own.</summary>
    private static async Task<string> ReasonAsync(HttpContext context, string byDefault, CancellationToken cancellationToken) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true }
            ? byDefault
            : (await context.Request.ReadBodyAsync(ApiJson.Default.ReasonRequest, cancellationToken)).Reason ?? byDefault;

    private static JobState ParseState(string text) =>
        Enum.GetValues<JobState>().FirstOrDefault(s => s.ToString().Equals(text, StringComparison.OrdinalIgnoreCase)) is var state and not JobState.Unknown
            ? state
            : throw ApiRefusal.Wrong($"state is '{text}'; allowed: {string.Join(", ", Enum.GetNames<JobState>().Skip(1))}");
}
