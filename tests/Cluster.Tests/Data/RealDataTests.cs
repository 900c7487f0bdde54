using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using TorchSharp;

namespace Cluster.Tests.Data;

/// <summary>The data sets that ship, and, where CLUSTER_DATA names a folder that has them, the larger ones.</summary>
public sealed class RealDataTests
{
    /// <summary>Section 9 of optdigits.names.</summary>
    [Theory]
    [InlineData(nameof(DataSplit.Train), new[] { 376, 389, 380, 389, 387, 376, 377, 387, 380, 382 })]
    [InlineData(nameof(DataSplit.Evaluation), new[] { 178, 182, 177, 183, 181, 182, 181, 179, 174, 180 })]
    public void Digits_have_the_counts_that_their_description_gives(string split, int[] classCounts) =>
        Assert.Equal(classCounts, ClassCounts(DataSets.Open(new DataSpec.Digits(), [DataRoots.Shipped], Enum.Parse<DataSplit>(split))));

    [Fact]
    public void The_first_digit_is_the_first_line()
    {
        var data = DataSets.Open(new DataSpec.Digits(), [DataRoots.Shipped], DataSplit.Train);
        using var batch = data.Gather([0], 0, torch.CPU);
        int[] line = [0, 1, 6, 15, 12, 1, 0, 0, 0, 7, 16, 6, 6, 10, 0, 0, 0, 8, 16, 2, 0, 11, 2, 0, 0, 5, 16, 3, 0, 5, 7, 0,
            0, 7, 13, 3, 0, 8, 7, 0, 0, 4, 12, 0, 1, 13, 5, 0, 0, 0, 14, 9, 15, 9, 0, 0, 0, 0, 6, 14, 7, 1, 0, 0];
        Assert.Equal(line.Select(p => p / 16f), batch.Inputs.data<float>());
        Assert.Equal([0], batch.Targets.data<long>().ToArray());
    }

    [SkippableFact]
    public void Mnist_has_its_counts_and_its_scale()
    {
        var train = DataSets.Open(new DataSpec.Mnist(), [Folder("mnist")], DataSplit.Train);
        Assert.Equal([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949], ClassCounts(train));
        AssertStandardised(train, 1e-3);
        Assert.Equal([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
            ClassCounts(DataSets.Open(new DataSpec.Mnist(), [Folder("mnist")], DataSplit.Evaluation)));
    }

    [SkippableFact]
    public void Fashion_mnist_has_its_counts_and_its_scale()
    {
        var train = DataSets.Open(new DataSpec.FashionMnist(), [Folder("fashion-mnist")], DataSplit.Train);
        Assert.All(ClassCounts(train), count => Assert.Equal(6000, count));
        AssertStandardised(train, 1e-3);
    }

    [SkippableFact]
    public void A_part_of_cifar_has_its_counts_and_its_scale()
    {
        var spec = new DataSpec.Cifar10 { Path = "cifar10-subset" };
        var train = DataSets.Open(spec, [Folder("cifar10-subset")], DataSplit.Train);
        Assert.All(ClassCounts(train), count => Assert.Equal(500, count));
        AssertStandardised(train, 0.05); // The constants are those of all 50,000.
        AssertStandardised(DataSets.Open(spec with { Grey = true }, [Folder("cifar10-subset")], DataSplit.Train), 0.05);
        Assert.All(ClassCounts(DataSets.Open(spec, [Folder("cifar10-subset")], DataSplit.Evaluation)), count => Assert.Equal(100, count));
    }

    private static string Folder(string name)
    {
        var root = Environment.GetEnvironmentVariable(DataRoots.Variable);
        Skip.If(string.IsNullOrEmpty(root), $"{DataRoots.Variable} is not set");
        Skip.IfNot(Directory.Exists(Path.Combine(root, name)), $"{DataRoots.Variable} has no {name}");
        return root;
    }

    private static int[] ClassCounts(IDataSet data)
    {
        var counts = new int[data.Classes];
        foreach (var chunk in Everything(data))
        {
            using var batch = data.Gather(chunk, 0, torch.CPU);
            foreach (var label in batch.Targets.data<long>()) { counts[label]++; }
        }

        return counts;
    }

    private static void AssertStandardised(IDataSet data, double tolerance)
    {
        var (sum, squares, count) = (0.0, 0.0, 0L);
        foreach (var chunk in Everything(data))
        {
            using var scope = torch.NewDisposeScope();
            using var batch = data.Gather(chunk, 0, torch.CPU);
            var values = batch.Inputs.to(torch.ScalarType.Float64);
            sum += values.sum().item<double>();
            squares += values.square().sum().item<double>();
            count += values.numel();
        }

        var mean = sum / count;
        Assert.InRange(mean, -tolerance, tolerance);
        Assert.InRange(Math.Sqrt(squares / count - mean * mean), 1 - tolerance, 1 + tolerance);
    }

    private static IEnumerable<long[]> Everything(IDataSet data) =>
        Enumerable.Range(0, (int)data.Count).Select(i => (long)i).Chunk(1000);
}
