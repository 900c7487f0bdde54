using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;

namespace Cluster.Trainer.Methods;

/// <summary>
/// The rounds of a job on one data set: the stages follow one another, a round is the next batch of its stage's stream of samples,
/// and its leaves are consecutive pieces of that batch. A pure function of spec and round.
/// </summary>
internal sealed class StagedRounds
{
    private readonly IReadOnlyList<StagePlan> _stages;
    private readonly SampleStream _stream;

    /// <param name="samples">Training samples of an epoch.</param>
    public StagedRounds(JobSpec spec, long samples)
    {
        _stages = StagePlan.Of(spec, _ => samples);
        _stream = new SampleStream(spec.Seed, samples);
        Count = _stages.Sum(stage => stage.Rounds);
    }

    /// <summary>Rounds of the job.</summary>
    public long Count { get; }

    /// <summary>Samples of the largest leaf of any round.</summary>
    public int LongestLeaf => _stages.Max(stage => Math.Min(stage.Leaf, stage.Batch));

    public StagePlan StageOf(long round) => _stages.Last(stage => stage.FirstRound <= round);

    /// <summary>Positions of the leaves' samples count from the beginning of the stage.</summary>
    public IReadOnlyList<Leaf> Leaves(long round)
    {
        var stage = StageOf(round);
        var inStage = round - stage.FirstRound;
        return Leaf.Cut(stage.SamplesOf(inStage), stage.Leaf, inStage * stage.Batch);
    }

    /// <summary>The numbers of a leaf's samples in the data set.</summary>
    public long[] Samples(Leaf leaf)
    {
        var numbers = new long[leaf.Count];
        _stream.Fill(leaf.First, numbers);
        return numbers;
    }
}
