namespace Cluster.Contracts.Spec;

/// <summary>The stages of a job with everything filled in that a stage takes from the job.</summary>
public static class Stages
{
    /// <summary>Samples per leaf where neither stage nor job says it; less for a smaller batch.</summary>
    public const int DefaultLeaf = 256;

    /// <summary>
    /// One <see cref="StageSpec"/> a stage, in order; a job without stages is one stage. In a checked spec each has a name, batch,
    /// leaf, schedule, and either epochs or rounds; text has a sequence length.
    /// </summary>
    public static ValueList<StageSpec> Of(JobSpec job)
    {
        ValueList<StageSpec> own = job.Stages.Count > 0 ? job.Stages : [new StageSpec()];
        return [.. own.Select((stage, index) => Fill(job, stage, index))];
    }

    private static StageSpec Fill(JobSpec job, StageSpec stage, int index)
    {
        var batch = stage.Batch ?? job.Batch;
        var (schedule, scaling) = Rate(job, stage);
        return stage with
        {
            Name = stage.Name ?? $"stage-{index + 1}",
            Batch = batch,
            Leaf = stage.Leaf ?? job.Leaf ?? (batch is { } samples ? Math.Min(samples, DefaultLeaf) : null),
            Epochs = stage.Epochs ?? (stage.Rounds is null ? job.Epochs : null),
            Rounds = stage.Rounds ?? (stage.Epochs is null ? job.Rounds : null),
            Sequence = stage.Sequence ?? SequenceOf(job),
            Schedule = schedule,
            Scaling = scaling,
        };
    }

    /// <summary>
    /// The stage's schedule and scaling, else the job's. A stage that says its rate in one of the two ways does not take the
    /// other way from the job: its own <c>schedule.lr</c> ends the job's scaling, its own scaling ends the job's rate and warm-up.
    /// </summary>
    private static (ScheduleSpec Schedule, ScalingSpec? Scaling) Rate(JobSpec job, StageSpec stage) => stage switch
    {
        { Schedule.Lr: not null, Scaling: null } => (stage.Schedule, null),
        { Schedule: null, Scaling: not null } when job.Schedule is { } schedule =>
            (schedule with { Lr = null, WarmupRounds = null, WarmupEpochs = null, WarmupShare = null }, stage.Scaling),
        _ => (stage.Schedule ?? job.Schedule ?? new ScheduleSpec(), stage.Scaling ?? job.Scaling),
    };

    /// <summary>Tokens per sample of a job: as given, or the model's context. Null where samples are no text.</summary>
    public static int? SequenceOf(JobSpec job) => SequenceOf(job, job.Data);

    /// <summary>The same of one of several data sets.</summary>
    public static int? SequenceOf(JobSpec job, DataSpec? data) => job.Sequence ?? (data is { IsText: true } ? ContextOf(job.Model) : null);

    /// <summary>Tokens that a text model can see at once; null for others.</summary>
    internal static int? ContextOf(ModelSpec? model) => model switch
    {
        ModelSpec.Bert bert => bert.Context,
        ModelSpec.Gpt gpt => gpt.Context,
        _ => null,
    };
}
