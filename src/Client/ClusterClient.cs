using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Lineage;

namespace Cluster.Client;

/// <summary>
/// A cluster, through its public API. Safe for concurrent use; keep one for as long as you need the cluster.
/// </summary>
/// <remarks>
/// Every method throws <see cref="ClusterUnreachableException"/> when no cluster answers and <see cref="BadInputException"/> when
/// it refuses, with the cluster's own words. What only reads, and a submission, is tried again for a moment before that.
/// </remarks>
public sealed class ClusterClient : IDisposable
{
    private readonly ApiConnection _api;

    /// <summary>Where the tool and <see cref="ClusterClientServices.AddClusterClient"/> look for a token.</summary>
    public const string TokenVariable = "CLUSTER_TOKEN";

    /// <summary>Connects to the API at this address, for example <c>http://127.0.0.1:8080</c>.</summary>
    /// <param name="token">As <c>cluster token create</c> printed it; null where the cluster asks for none. It is never logged.</param>
    public ClusterClient(Uri url, string? token = null) => _api = new ApiConnection(url, token);

    internal ClusterClient(HttpClient http, Uri url, string? token) => _api = new ApiConnection(http, url, token);

    public Uri Url => _api.Url;

    /// <summary>Accepts the job. When it returns, the job is durable.</summary>
    /// <param name="request">Without a token it gets one, so that a repeat after a lost answer is no second job.</param>
    /// <returns>The job's id.</returns>
    public async Task<string> SubmitAsync(SubmitRequest request, CancellationToken cancellationToken)
    {
        var body = request.Token is null ? request with { Token = RandomNumberGenerator.GetHexString(32, lowercase: true) } : request;
        var post = ApiConnection.Post("jobs", body, ApiJson.Default.SubmitRequest).AndRetry(Retries.Moment);
        return (await _api.SendAsync(post, ApiJson.Default.SubmitResponse, cancellationToken)).JobId;
    }

    /// <summary>Everything that is wrong with a spec; nothing is submitted.</summary>
    public Task<ValidateResponse> ValidateAsync(ValidateRequest request, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Post("validate", request, ApiJson.Default.ValidateRequest).AndRetry(Retries.Moment), ApiJson.Default.ValidateResponse, cancellationToken);

    /// <summary>One page of jobs, newest first.</summary>
    /// <param name="skip">Where to begin: 0, or <see cref="JobPage.Next"/> of the page before.</param>
    /// <param name="count">1 to 500.</param>
    /// <param name="state">Only jobs in this state; null for all.</param>
    public Task<JobPage> ListAsync(int skip, int count, JobState? state, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Get($"jobs?skip={skip}&count={count}{(state is null ? "" : $"&state={state}")}"), ApiJson.Default.JobPage, cancellationToken);

    /// <summary>The job now, without samples.</summary>
    public Task<JobView> ShowAsync(string jobId, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Get(Job(jobId)), ApiJson.Default.JobView, cancellationToken);

    /// <summary>Samples with a number above <paramref name="after"/>, oldest first, at most 500.</summary>
    public Task<SamplePage> SamplesAsync(string jobId, long after, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Get($"{Job(jobId)}/samples?after={after}"), ApiJson.Default.SamplePage, cancellationToken);

    /// <summary>All curves of the job from its beginning, at most 400 points each, whatever its length.</summary>
    public Task<MetricsView> MetricsAsync(string jobId, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Get($"{Job(jobId)}/metrics"), ApiJson.Default.MetricsView, cancellationToken);

    /// <summary>
    /// The job whenever it has changed, each time with the samples that are new and without its submission, until it has ended.
    /// Goes on by itself when the connection breaks or the cluster is away for less than half a minute.
    /// </summary>
    public async IAsyncEnumerable<JobView> WatchAsync(string jobId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var view in _api.EventsAsync($"{Job(jobId)}/events", ApiEvents.Job, ApiJson.Default.JobView, cancellationToken)) { yield return view; }
    }

    /// <summary>The newest lines of the workers' logs.</summary>
    /// <param name="worker">Only of this one; null for all.</param>
    public Task<LogPage> LogsAsync(string jobId, string? worker, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Get(Logs(jobId, worker, follow: false)), ApiJson.Default.LogPage, cancellationToken);

    /// <summary>The newest lines of the workers' logs, and those that come, until the job has ended.</summary>
    /// <param name="worker">Only of this one; null for all.</param>
    public async IAsyncEnumerable<LogLine> FollowLogsAsync(string jobId, string? worker, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var page in _api.EventsAsync(Logs(jobId, worker, follow: true), ApiEvents.Log, ApiJson.Default.LogPage, cancellationToken))
        {
            foreach (var line in page.Lines) { yield return line; }
        }
    }

    /// <summary>Asks the job to end at a checkpoint; watch it to see when it has.</summary>
    public Task<JobSummary> CancelAsync(string jobId, string? reason, CancellationToken cancellationToken) => OrderAsync(jobId, "cancel", reason, cancellationToken);

    /// <summary>Asks the job to stop at a checkpoint and give its workers back, until it is resumed.</summary>
    public Task<JobSummary> PauseAsync(string jobId, string? reason, CancellationToken cancellationToken) => OrderAsync(jobId, "pause", reason, cancellationToken);

    /// <summary>A job that is paused, failed or cancelled goes on from its newest checkpoint.</summary>
    public Task<JobSummary> ResumeAsync(string jobId, CancellationToken cancellationToken) => OrderAsync(jobId, "resume", reason: null, cancellationToken);

    /// <summary>
    /// One more stage at the end of a continual job's trunk. When it returns, the order is durable; the job takes it up at the end of a
    /// round, and shows among its orders what became of it.
    /// </summary>
    public Task<JobOrder> AppendAsync(string jobId, AppendRequest request, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Post($"{Job(jobId)}/append", request, ApiJson.Default.AppendRequest), ApiJson.Default.JobOrder, cancellationToken);

    /// <summary>One more release of a continual job, at an update of the trunk that has yet to come; as the one before.</summary>
    public Task<JobOrder> ReleaseAsync(string jobId, ReleaseRequest request, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Post($"{Job(jobId)}/release", request, ApiJson.Default.ReleaseRequest), ApiJson.Default.JobOrder, cancellationToken);

    /// <summary>The job's checkpoints, newest first.</summary>
    public Task<ImmutableArray<CheckpointView>> CheckpointsAsync(string jobId, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Get($"{Job(jobId)}/checkpoints"), ApiJson.Default.ImmutableArrayCheckpointView, cancellationToken);

    /// <summary>Trunk, releases and forgetting matrix of a continual job.</summary>
    public Task<LineageView> LineageAsync(string jobId, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Get($"{Job(jobId)}/lineage"), ApiJson.Default.LineageView, cancellationToken);

    /// <summary>Which rounds of a federated job, after this one, did without which clients: oldest first.</summary>
    /// <param name="count">At most so many: 1 to 500.</param>
    public Task<ParticipationPage> ParticipationAsync(string jobId, long afterRound, int count, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Get(string.Create(CultureInfo.InvariantCulture, $"{Job(jobId)}/participation?after={afterRound}&count={count}")), ApiJson.Default.ParticipationPage, cancellationToken);

    /// <summary>Copies a file of a checkpoint, such as <c>model.safetensors</c>, into the stream. Whoever uses it checks its hash.</summary>
    public Task DownloadAsync(string jobId, long round, string file, Stream into, CancellationToken cancellationToken) =>
        _api.CopyAsync(ApiConnection.Get($"{Job(jobId)}/checkpoints/{round}/{Uri.EscapeDataString(file)}"), into, cancellationToken);

    /// <summary>
    /// Hands a file to the cluster, for specs to name as <c>upload:NAME</c>. The same bytes under the same name are the same file; other bytes are
    /// refused. It is sent once, from where the stream stands to its end; the stream stays open.
    /// </summary>
    /// <param name="name">1 to 128 letters, digits, '-', '_' and '.', beginning with a letter or a digit.</param>
    public Task<UploadedFile> UploadAsync(string name, Stream content, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Put(FilePath(name), content), ApiJson.Default.UploadedFile, cancellationToken);

    /// <summary>One page of uploaded files, by name.</summary>
    /// <param name="skip">Where to begin: 0, or <see cref="FilePage.Next"/> of the page before.</param>
    /// <param name="count">1 to 500.</param>
    public Task<FilePage> FilesAsync(int skip, int count, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Get(string.Create(CultureInfo.InvariantCulture, $"files?skip={skip}&count={count}")), ApiJson.Default.FilePage, cancellationToken);

    /// <summary>An uploaded file: its size and its hash.</summary>
    public Task<UploadedFile> FileAsync(string name, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Get(FilePath(name)), ApiJson.Default.UploadedFile, cancellationToken);

    /// <summary>Deletes an uploaded file. A job that still needs it fails when it looks for it.</summary>
    public Task RemoveFileAsync(string name, CancellationToken cancellationToken) =>
        _api.CopyAsync(new HttpRequestMessage(HttpMethod.Delete, FilePath(name)), Stream.Null, cancellationToken);

    public Task<ImmutableArray<PoolWorkerView>> WorkersAsync(CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Get("workers"), ApiJson.Default.ImmutableArrayPoolWorkerView, cancellationToken);

    /// <summary>Workers, and the jobs that wait and run.</summary>
    public Task<PoolView> PoolAsync(CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Get("pool"), ApiJson.Default.PoolView, cancellationToken);

    /// <summary>Takes the worker from its job at the end of a round, and gives it no other until it is undrained.</summary>
    /// <returns>The worker; it is free when its job is null.</returns>
    public Task<PoolWorkerView> DrainAsync(string workerId, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Post($"workers/{Uri.EscapeDataString(workerId)}/drain"), ApiJson.Default.PoolWorkerView, cancellationToken);

    public Task<PoolWorkerView> UndrainAsync(string workerId, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Post($"workers/{Uri.EscapeDataString(workerId)}/undrain"), ApiJson.Default.PoolWorkerView, cancellationToken);

    /// <summary>Who the cluster takes this client for.</summary>
    public Task<SessionView> SessionAsync(CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Get("session"), ApiJson.Default.SessionView, cancellationToken);

    /// <summary>What answers at this address.</summary>
    public Task<ClusterView> ClusterAsync(CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Get("cluster"), ApiJson.Default.ClusterView, cancellationToken);

    /// <summary>Asks the process that answers here to end, with the secret that its starter keeps.</summary>
    public Task ShutdownAsync(string secret, CancellationToken cancellationToken)
    {
        var post = ApiConnection.Post("shutdown");
        post.Headers.Add(ClusterView.SecretHeader, secret);
        return _api.CopyAsync(post, Stream.Null, cancellationToken);
    }

    public void Dispose() => _api.Dispose();

    private Task<JobSummary> OrderAsync(string jobId, string order, string? reason, CancellationToken cancellationToken) =>
        _api.SendAsync(ApiConnection.Post($"{Job(jobId)}/{order}", new ReasonRequest(reason), ApiJson.Default.ReasonRequest), ApiJson.Default.JobSummary, cancellationToken);

    private static string Job(string jobId) => $"jobs/{Uri.EscapeDataString(jobId)}";

    private static string FilePath(string name) => $"files/{Uri.EscapeDataString(name)}";

    private static string Logs(string jobId, string? worker, bool follow) =>
        $"{Job(jobId)}/logs?follow={(follow ? "true" : "false")}{(worker is null ? "" : $"&worker={Uri.EscapeDataString(worker)}")}";
}
