using Cluster.Contracts.Spec;
using Cluster.Tests.Collectives;
using Cluster.Tests.Continual;
using Cluster.Tests.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.Continual;
using Cluster.Trainer.Methods.Lamb;
using Cluster.Trainer.Rounds;
using static TorchSharp.torch;

namespace Cluster.Tests.Rounds;

/// <summary>The sum of a round that begins before the round is computed: earlier, and otherwise the same.</summary>
[Collection(TorchTests.Name)]
public sealed class ReduceAheadTests
{
    private const int Piece = 256;

    /// <summary>Also with ranks that have nothing to compute, and where a clip of each leaf leaves nothing to do ahead.</summary>
    [Theory]
    [InlineData(2, "leaf=16"), InlineData(3, "leaf=16"), InlineData(3, "leaf=64"), InlineData(3, "leaf=16", "clip.norm=0.1", "clip.point=leaf"), InlineData(2, "leaf=16", "precision=bfloat16")]
    public void Large_batches_give_the_bits_of_one_rank(int ranks, params string[] settings)
    {
        var spec = SpecReader.Read(SpecSamples.Digits, "digits.yaml", ["epochs=1", .. settings]).Require();
        LargeBatchMethod Method() => new(spec, [DataRoots.Shipped], CPU);
        var expected = Run(1, spec, Method)[0];
        Assert.All(Run(ranks, spec, Method), hash => Assert.Equal(expected, hash));
    }

    [Fact]
    public void A_continual_job_gives_the_bits_of_one_rank()
    {
        var spec = ContinualSamples.Read();
        ContinualMethod Method() => new(spec, [DataRoots.Shipped], CPU);
        var expected = Run(1, spec, Method)[0];
        Assert.All(Run(3, spec, Method), hash => Assert.Equal(expected, hash));
    }

    [Fact]
    public void The_end_of_the_vectors_is_with_the_peers_before_the_beginning_is_computed()
    {
        const long tails = 2 * TailFirst.Length / 2 * sizeof(float); // Of the two others.
        var states = Ranks.Run(3, mesh =>
        {
            var before = 0L;
            using var method = new TailFirst(rounds: 4)
            {
                OnTail = (round, leaf) =>
                {
                    if (leaf % 2 == 0) { before = mesh.BytesReceived; } // The first of this rank's two.
                    else { Within.Until(() => mesh.BytesReceived - before >= tails, $"rank {mesh.Rank} has the others' tails of round {round} before it goes on"); }
                },
            };
            return Loop(mesh, method);
        }, sharesMemory: false);

        Assert.All(states, state => Assert.Equal(Alone(4), state));
    }

    [Fact]
    public void A_loss_that_is_not_finite_skips_the_round_and_the_next_one_counts()
    {
        var states = Ranks.Run(3, mesh =>
        {
            using var method = new TailFirst(rounds: 4) { LossIsNaN = (round, leaf) => round == 1 && leaf == 2 };
            return Loop(mesh, method);
        }, sharesMemory: false);

        Assert.All(states, state => Assert.Equal(Alone(4, skipped: 1), state));
        Assert.NotEqual(Alone(4), states[0]);
    }

    /// <summary>Its peers have the end of its vectors and wait for the rest.</summary>
    [Fact]
    public void A_rank_that_fails_half_way_through_its_leaf_ends_the_round_on_all()
    {
        var failures = Ranks.Run(3, mesh =>
        {
            using var method = new TailFirst(rounds: 4)
            {
                OnTail = (round, leaf) => { if (mesh.Rank == 1 && round == 2) { throw new InvalidOperationException("half way"); } },
            };
            var failure = Record.Exception(() => Loop(mesh, method));
            return (Failure: failure, State: StateHash.Of(method.State));
        }, sharesMemory: false);

        Assert.Equal("half way", Assert.IsType<InvalidOperationException>(failures[1].Failure).Message);
        Assert.All([failures[0], failures[2]], other => Assert.IsType<MeshFaultException>(other.Failure));
        Assert.All(failures, one => Assert.Equal(Alone(4, rounds: 2), one.State));
    }

    private static ulong Alone(long of, long rounds = long.MaxValue, long skipped = -1)
    {
        using var method = new TailFirst(of) { LossIsNaN = (round, _) => round == skipped };
        return Ranks.Run(1, mesh => Loop(mesh, method, rounds))[0];
    }

    private static ulong Loop(Mesh mesh, TailFirst method, long rounds = long.MaxValue)
    {
        var told = new Recorder();
        using var loop = new RoundLoop(method, RoundLoopTests.Spec, told, piece: Piece);
        loop.Run(mesh, () => new RoundWish(Stop: told.Commits.Count + 1 == rounds, Generation: 1));
        return StateHash.Of(method.State);
    }

    private static ulong[] Run(int ranks, JobSpec spec, Func<IRoundMethod> create)
    {
        var methods = Enumerable.Range(0, ranks).Select(_ => create()).ToArray();
        try
        {
            return Ranks.Run(ranks, mesh =>
            {
                using var loop = new RoundLoop(methods[mesh.Rank], spec, new Recorder(), piece: Piece);
                Assert.IsType<LoopEnd.Finished>(loop.Run(mesh, () => default));
                return StateHash.Of(methods[mesh.Rank].State);
            }, sharesMemory: false);
        }
        finally
        {
            foreach (var method in methods) { method.Dispose(); }
        }
    }

    /// <summary>Six leaves of 1024 floats each, which are written in two halves.</summary>
    private sealed class TailFirst : IRoundMethod
    {
        public const int Length = 4 * Piece;

        private readonly FlatBuffer _theta = new(Length);

        public TailFirst(long rounds)
        {
            Rounds = rounds;
            State = new MethodState(new Layout([("x", [Length], SegmentRole.Parameter)]), [("theta", _theta)], new SortedDictionary<string, long>(StringComparer.Ordinal));
        }

        public Action<long, int> OnTail { get; init; } = (_, _) => { };

        public Func<long, int, bool> LossIsNaN { get; init; } = (_, _) => false;

        public long Rounds { get; }

        public long ContributionLength => Length;

        public bool ContributesFromTheEnd => true;

        public IReadOnlyList<EvaluationSet> EvaluationSets { get; } = [new("", [new Leaf(0, 0, 1)])];

        public MethodState State { get; }

        public IReadOnlyList<Leaf> Leaves(long round) => Leaf.Cut(items: 6, size: 1, first: 6 * round);

        public Tally Contribute(long round, Leaf leaf, FlatBuffer into) => Contribute(round, leaf, into, _ => { });

        public Tally Contribute(long round, Leaf leaf, FlatBuffer into, Action<long> finished)
        {
            into.Span.Fill(float.NaN);
            Write(Length / 2, Length);
            finished(Length / 2);
            OnTail(round, leaf.Index);
            Write(0, Length / 2);
            return new Tally(1, 1, LossIsNaN(round, leaf.Index) ? double.NaN : 1, 0, Leaves: 1);

            void Write(int from, int to)
            {
                for (var i = from; i < to; i++) { into.Span[i] = _theta.Span[i] + Reference.Floats(1, (int)leaf.First * 31 + i)[0]; }
            }
        }

        public RoundResult Update(long round, FlatBuffer sum, in Tally tally)
        {
            for (var i = 0; i < Length; i++) { _theta.Span[i] -= 0.01f * sum.Span[i]; }
            return new RoundResult(0.01, 1);
        }

        public Tally Evaluate(EvaluationSet set, Leaf leaf) => new(1, 1, 1, 0, Leaves: 1);

        public void Dispose() => _theta.Dispose();
    }
}
