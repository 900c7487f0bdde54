using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;

namespace Cluster.Trainer.Methods;

/// <summary>
/// The rounds of a job: the stages follow one another, a round is the next batch of its stage's stream of samples, and its leaves are
/// consecutive pieces of that batch. A pure function of spec and round.
/// </summary>
internal sealed class StagedRounds
{
    private readonly IReadOnlyList<StagePlan> _stages;
    private readonly Dictionary<long, SampleStream> _streams; // By the samples of an epoch.

    /// <param name="samples">Training samples of an epoch, in a stage.</param>
    public StagedRounds(JobSpec spec, Func<StageSpec, long> samples)
    {
        _stages = StagePlan.Of(spec, samples);
        _streams = _stages.Select(stage => stage.SamplesPerEpoch).Distinct().ToDictionary(count => count, count => new SampleStream(spec.Seed, count));
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

    /// <summary>The numbers of a leaf's samples in the data set of its stage.</summary>
    public long[] Samples(long round, Leaf leaf)
    {
        var numbers = new long[leaf.Count];
        _streams[StageOf(round).SamplesPerEpoch].Fill(leaf.First, numbers);
        return numbers;
    }
}
