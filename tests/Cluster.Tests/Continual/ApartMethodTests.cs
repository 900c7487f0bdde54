using System.Runtime.InteropServices;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Tests.Data;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.Continual;
using Cluster.Trainer.Rounds;
using static TorchSharp.torch;

namespace Cluster.Tests.Continual;

/// <summary>Branches that are jobs of their own, under the real loop: the same bits as within the trunk's job, of release and trunk alike.</summary>
[Collection(TorchTests.Name)]
public sealed class ApartMethodTests : IDisposable
{
    private readonly TemporaryFolder _store = new();

    public void Dispose() => _store.Dispose();

    /// <summary>Runs to the end and keeps the state of all milestones, as rank 0 of a job does.</summary>
    /// <returns>Bits of weights, moments and t: of the milestones by name and update, and at the end.</returns>
    private SortedDictionary<string, string> Run(JobSpec spec, string id, int ranks = 1)
    {
        var states = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var job = new CheckpointJob(id, spec.Name, SpecSummary.MethodOf(spec), SpecHash.Of(spec), SpecText.Write(spec), new Dictionary<string, string>());
        using var writer = CheckpointWriter.Open(FolderOf(id), job, keep: 1, parent: null, TimeProvider.System, new Disk(), out _);
        var methods = Enumerable.Range(0, ranks).Select(_ => new ContinualMethod(spec, [DataRoots.Shipped], CPU)).ToArray();
        Ranks.Run(ranks, mesh =>
        {
            var method = methods[mesh.Rank];
            using var loop = new RoundLoop(method, spec, new EvaluationListener((counters, _) =>
            {
                if (mesh.Rank != 0 || method.NodeAfter(counters.Round) is not { IsMilestone: true } node) { return; }
                states[$"{node.Release ?? "trunk"} {node.Step}"] = Bits(method);
                writer.Save(method.State, counters.Round, counters.SamplesSeen, node);
            }));
            return loop.Run(mesh, () => default);
        });
        states["end"] = Bits(methods[0]);
        Assert.All(methods, method => Assert.Equal(states["end"], Bits(method)));
        foreach (var method in methods) { method.Dispose(); }
        return states;
    }

    private string FolderOf(string id) => Path.Combine(_store.Path, id);

    private JobSpec Branch(JobSpec trunk, string release, string id) =>
        BranchJobs.SpecOf(trunk, ContinualPlan.Of(trunk.Continual!).Forks.Single(fork => fork.Release.Name == release), id, FolderOf(id));

    private static string Bits(ContinualMethod method) =>
        $"{method.State.Counters["updates"]} updates, "
        + string.Join(' ', method.State.Buffers.Where(b => !b.Name.StartsWith("trunk.", StringComparison.Ordinal)).Select(b => $"{b.Name} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(MemoryMarshal.AsBytes(b.Buffer.Span)))}"));

    /// <summary>Among them one at the end of a stage, one within, mixtures of their own, and a trunk that resets its moments between.</summary>
    [Fact]
    public void All_releases_and_the_trunk_are_the_same_bits_apart_and_within()
    {
        var within = Run(ContinualSamples.Read(), "within");
        var spec = ContinualSamples.Read(ContinualSamples.Apart);
        var trunk = Run(spec, "apart");
        Assert.Equal(within["end"], trunk["end"]);
        Assert.Equal(["end", "trunk 11", "trunk 15", "trunk 6", "trunk 8"], trunk.Keys);
        foreach (var (release, ranks) in new[] { ("plays", 1), ("digits-8", 3), ("digits", 2) })
        {
            var branch = Run(Branch(spec, release, "apart"), $"apart.{release}", ranks);
            var (name, expected) = within.Single(state => state.Key.StartsWith($"{release} ", StringComparison.Ordinal));
            Assert.Equal([(name, expected), ("end", expected)], branch.Select(state => (state.Key, state.Value)).OrderBy(state => state.Key == "end"));
        }

        Assert.NotEqual(within["plays 6"], within["trunk 6"]); // The comparison sees a difference where there is one.
    }

    /// <summary>Some releases within and some apart: the trunk's checkpoints have room for its copy, and the branch has no use for that.</summary>
    [Fact]
    public void A_trunk_may_have_releases_of_both_kinds()
    {
        var within = Run(ContinualSamples.Read(), "within");
        var spec = ContinualSamples.Read("continual.releases[0].branch=apart");
        var trunk = Run(spec, "mixed");
        foreach (var (name, state) in trunk) { Assert.Equal(within[name], state); }
        Assert.Equal(within["digits-8 8"], Run(Branch(spec, "digits-8", "mixed"), "mixed.digits-8")["end"]);
    }

    [Fact]
    public void The_trunk_is_the_same_bits_with_no_one_and_three_releases_apart()
    {
        JobSpec With(params long[] at)
        {
            var spec = ContinualSamples.WithReleases(at);
            return spec with { Continual = spec.Continual! with { Releases = [.. spec.Continual.Releases.Select(release => release with { Branch = BranchPlace.Apart })] } };
        }

        var expected = Run(With(), "none")["end"];
        Assert.Equal(expected, Run(With(15), "one")["end"]);
        Assert.Equal(expected, Run(With(3, 6, 11), "three")["end"]);
    }

    [Fact]
    public void A_checkpoint_that_is_not_the_forks_is_refused_in_words()
    {
        var spec = ContinualSamples.Read(ContinualSamples.Apart);
        Run(spec, "trunk");
        var branch = Branch(spec, "digits-8", "trunk");
        string Refusal(Func<BranchOfSpec, BranchOfSpec> change) => Assert.Throws<BadInputException>(
            () => new ContinualMethod(branch with { Continual = branch.Continual! with { BranchOf = change(branch.Continual.BranchOf!) } }, [DataRoots.Shipped], CPU)).Message;

        Assert.Contains("belongs to job 'trunk', not to the trunk 'other'", Refusal(of => of with { Job = "other" }), StringComparison.Ordinal);
        Assert.Contains("is not the trunk after update 8, where release digits-8 forks", Refusal(of => of with { Checkpoint = of.Checkpoint.Replace("008", "006", StringComparison.Ordinal) }), StringComparison.Ordinal);
        Assert.Contains("not found", Refusal(of => of with { Checkpoint = of.Checkpoint.Replace("008", "007", StringComparison.Ordinal) }), StringComparison.Ordinal);
        File.AppendAllText(Path.Combine(branch.Continual!.BranchOf!.Checkpoint, JobLayout.Optimizer), "x");
        Assert.Contains("cannot be loaded", Refusal(of => of), StringComparison.Ordinal);
    }
}
