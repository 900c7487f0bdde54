using Cluster.Grains.Jobs;

namespace Cluster.Tests.Control;

public sealed class MetricHistoryTests
{
    private readonly MetricHistory _history = new(new());

    private static KeyValuePair<string, double>[] Values(double loss) => [new("loss", loss)];

    [Fact]
    public void A_short_job_keeps_every_round()
    {
        for (var round = 1; round <= MetricHistory.MaxPoints; round++) { _history.Add(round, round * 64, Values(round)); }
        var view = _history.View(7);
        Assert.Equal((1L, 7L), (view.RoundsPerPoint, view.LastSample));
        Assert.Equal(Enumerable.Range(1, MetricHistory.MaxPoints).Select(r => (double?)r), view.Series["loss"].Mean);
        Assert.Empty(view.Series["loss"].Min);
    }

    [Fact]
    public void A_long_job_keeps_mean_least_and_greatest_of_whole_points_in_bounded_room()
    {
        const int Rounds = 100_000;
        var random = new Random(5);
        var losses = Enumerable.Range(0, Rounds + 1).Select(_ => random.NextDouble()).ToArray();
        for (var round = 1; round <= Rounds; round++) { _history.Add(round, round * 64L, Values(losses[round])); }
        var view = _history.View(0);
        Assert.InRange(view.Rounds.Length, MetricHistory.MaxPoints / 2, MetricHistory.MaxPoints);
        Assert.Equal((Rounds, Rounds * 64L), (view.Rounds[^1], view.SamplesSeen[^1]));
        for (var i = 0; i < view.Rounds.Length; i++)
        {
            var mine = Enumerable.Range(1, Rounds).Where(r => r / view.RoundsPerPoint == view.Rounds[i] / view.RoundsPerPoint).Select(r => losses[r]).ToArray();
            Assert.Equal(mine.Average(), view.Series["loss"].Mean[i]!.Value, 12);
            Assert.Equal((mine.Min(), mine.Max()), (view.Series["loss"].Min[i], view.Series["loss"].Max[i]));
        }
    }

    [Fact]
    public void It_goes_on_from_what_was_stored_as_if_it_had_not_stopped()
    {
        var random = new Random(9);
        var other = new MetricHistory(new());
        for (var round = 1; round <= 3_000; round++)
        {
            var values = Values(random.NextDouble());
            _history.Add(round, round, values);
            other.Add(round, round, values);
            if (random.Next(200) == 0) { other = new(other.ToState()); }
        }

        Assert.Equal(_history.View(0).Rounds.AsEnumerable(), other.View(0).Rounds);
        Assert.Equal(_history.View(0).Series["loss"].Mean.AsEnumerable(), other.View(0).Series["loss"].Mean);
    }

    [Fact]
    public void An_evaluation_is_at_its_round_and_what_is_not_finite_leaves_a_gap()
    {
        _history.Add(1, 64, Values(double.NaN));
        _history.Add(1, 64, [new("evalLoss", 3)]);
        _history.Add(2, 128, Values(2));
        var view = _history.View(0);
        Assert.Equal([1L, 2L], view.Rounds.AsEnumerable());
        Assert.Equal([null, 2], view.Series["loss"].Mean.AsEnumerable());
        Assert.Equal([3, null], view.Series["evalLoss"].Mean.AsEnumerable());
    }

    [Fact]
    public void However_many_names_a_method_adds_the_common_ones_have_their_place()
    {
        _history.Add(1, 1, Enumerable.Range(0, 500).Select(i => new KeyValuePair<string, double>($"layer{i}.loss", i)));
        _history.Add(2, 2, [new("loss", 1), new("evalAccuracy", 0.5)]);
        var view = _history.View(0);
        Assert.Equal(0.5, view.Series["evalAccuracy"].Mean[1]);
        Assert.InRange(view.Series.Count, 30, MetricHistory.MaxNames);
    }
}
