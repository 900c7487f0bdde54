using Cluster.Contracts.Spec;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;
using static TorchSharp.torch;

namespace Cluster.Tests.ForwardForward;

/// <summary>Whole jobs in this process, through the production loop, on any number of ranks.</summary>
internal static class Jobs
{
    public static JobSpec Read(string yaml, params string[] changes) => SpecReader.Read(yaml, "job.yaml", changes).Require();

    public static IRoundMethod Method(JobSpec spec) => TrainingMethods.Create(spec, [DataRoots.Shipped], CPU);

    /// <summary>The answer: what every rank ends with.</summary>
    public sealed record Answer(string Weights, double Accuracy, double Loss, long Rounds);

    /// <summary>All ranks must end with the same answer.</summary>
    public static Answer Run(JobSpec spec, int ranks = 1)
    {
        var methods = Enumerable.Range(0, ranks).Select(_ => Method(spec)).ToArray();
        try
        {
            var answers = Ranks.Run(ranks, mesh => Loop(methods[mesh.Rank], spec, loop => loop.Run(mesh, () => default)));
            Assert.All(answers, answer => Assert.Equal(answers[0], answer));
            return answers[0];
        }
        finally
        {
            foreach (var method in methods) { method.Dispose(); }
        }
    }

    private static Answer Loop(IRoundMethod method, JobSpec spec, Func<RoundLoop, LoopEnd> run)
    {
        var told = new Recorder();
        using var loop = new RoundLoop(method, spec, told);
        Assert.IsType<LoopEnd.Finished>(run(loop));
        var last = told.Evaluations[^1].Tally;
        return new(WeightsHash.Of(method.State.Layout, method.State.Buffers[0].Buffer), last.Accuracy, last.MeanLoss, told.Commits.Count);
    }
}
