using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Data;

public sealed class VowelsTests
{
    [Fact]
    public void Five_folds_hold_every_row_once_for_evaluation()
    {
        var sizes = Enumerable.Range(0, 5).Select(fold => (Open(fold, DataSplit.Train).Count, Open(fold, DataSplit.Evaluation).Count)).ToArray();
        Assert.All(sizes, size => Assert.Equal(258, size.Item1 + size.Item2));
        Assert.Equal(258, sizes.Sum(size => size.Item2));
        Assert.All(sizes, size => Assert.InRange(size.Item2, 51, 52));
    }

    [Fact]
    public void Training_columns_have_deviation_one_and_nothing_below_zero()
    {
        var data = Open(2, DataSplit.Train);
        Assert.Equal((12L, 7), (data.InputShape.Single(), data.Classes));
        using var scope = NewDisposeScope();
        var batch = data.Gather([.. Enumerable.Range(0, (int)data.Count).Select(i => (long)i)], 0, CPU);
        Assert.Equal(0, batch.Inputs.min().item<float>());
        var deviation = batch.Inputs.to(ScalarType.Float64).std(0, unbiased: false);
        Assert.All(deviation.data<double>().ToArray(), one => Assert.Equal(1, one, 1e-5));
        Assert.All(batch.Targets.data<long>().ToArray().GroupBy(label => label), rows => Assert.InRange(rows.Count(), 20, 37));
        Assert.Equal(7, batch.Targets.data<long>().ToArray().Distinct().Count());
    }

    [Theory]
    [InlineData("w01,ae,0,", "w01,ae,7,", "line 2, column 3: '7' is not a class: 0 to 6")]
    [InlineData("678", "x", "line 2, column 4: 'x' is not a finite number")]
    [InlineData("speaker", "who", "begins with the line 'who,vowel")]
    public void Damage_is_said_with_its_place(string written, string instead, string message)
    {
        using var folder = new TemporaryFolder();
        var text = File.ReadAllText(Path.Combine(DataRoots.Shipped, "vowels", "vowels.csv"));
        Assert.Contains(written, text, StringComparison.Ordinal);
        var at = text.IndexOf(written, StringComparison.Ordinal);
        folder.Write("vowels.csv", text[..at] + instead + text[(at + written.Length)..]);
        var spec = new DataSpec.Vowels { Path = folder.Path };
        Assert.Contains(message, Assert.Throws<BadInputException>(() => DataSets.Open(spec, [], DataSplit.Train)).Message, StringComparison.Ordinal);
    }

    private static IDataSet Open(int fold, DataSplit split) => DataSets.Open(new DataSpec.Vowels { Fold = fold }, [DataRoots.Shipped], split);
}
