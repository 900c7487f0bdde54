using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;

namespace Cluster.Tests.Data;

public sealed class DataSearchTests : IDisposable
{
    private readonly TemporaryFolder _a = new();
    private readonly TemporaryFolder _b = new();

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    [Fact]
    public void Roots_come_in_the_promised_order()
    {
        var roots = DataRoots.Of(Path.Combine(_a.Path, "job.yaml"), _b.Path, Path.GetTempPath());
        Assert.Equal([_a.Path, _b.Path, Path.GetFullPath(Path.GetTempPath()), DataRoots.Shipped], roots.Take(4));
        Assert.Equal(DataRoots.Downloads, roots[^1]);
    }

    [Fact]
    public void Roots_that_were_not_named_are_left_out() =>
        Assert.Equal(DataRoots.Shipped, DataRoots.Of(null, null, "")[0]);

    [Fact]
    public void A_named_root_must_be_a_folder()
    {
        var missing = Path.Combine(_a.Path, "nowhere");
        Assert.Equal($"--data names '{missing}', but there is no such folder", Refusal(() => DataRoots.Of(null, missing, null)));
        var file = _a.Write("file", 1);
        Assert.Equal($"CLUSTER_DATA names '{file}', which is a file; a folder is expected", Refusal(() => DataRoots.Of(null, null, file)));
    }

    [Fact]
    public void The_first_root_with_a_complete_set_is_taken()
    {
        _a.Write("d/x", 1);
        _b.Write("d/x", 1);
        _b.Write("d/y.gz", 1);
        var files = DataSearch.FindFiles("d", [_a.Path, _b.Path], ["x", "y"]);
        Assert.Equal([Path.Combine(_b.Path, "d", "x"), Path.Combine(_b.Path, "d", "y.gz")], files);
    }

    [Fact]
    public void A_plain_file_goes_before_a_packed_one()
    {
        _a.Write("d/x", 1);
        _a.Write("d/x.gz", 1);
        Assert.Equal([Path.Combine(_a.Path, "d", "x")], DataSearch.FindFiles("d", [_a.Path], ["x"]));
    }

    [Fact]
    public void A_missing_set_names_every_root_and_what_to_do()
    {
        _a.Write("mnist/train-images-idx3-ubyte", 1);
        _b.Write("mnist", 1);
        var message = Refusal(() => DataSets.Open(new DataSpec.Mnist(), [_a.Path, _b.Path, "/nowhere"], DataSplit.Train));
        Assert.Equal(
            $"""
            data set 'mnist' not found: a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte (plain or .gz). Looked in:
              {_a.Path}/mnist: has no train-labels-idx1-ubyte
              {_b.Path}/mnist: a file, not a folder
              /nowhere/mnist: no such folder
            Fetch it with 'cluster data get mnist', or name the folder that holds 'mnist' with --data DIR or the environment variable CLUSTER_DATA.
            """, message);
    }

    [Fact]
    public void The_nearer_alternative_is_the_one_complained_of()
    {
        _a.Write("cifar10/data_batch_1.bin", 1);
        var message = Refusal(() => DataSets.Open(new DataSpec.Cifar10(), [_a.Path], DataSplit.Train));
        Assert.Contains("data_batch_5.bin, or train.bin (plain or .gz)", message, StringComparison.Ordinal);
        Assert.Contains("cifar10: has no train.bin", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_in_place_of_a_file_is_named_as_one()
    {
        Directory.CreateDirectory(Path.Combine(_a.Path, "digits", "optdigits.tra"));
        Directory.CreateDirectory(Path.Combine(_a.Path, "a.txt"));
        Assert.Contains("has no file optdigits.tra (it is a folder)",
            Refusal(() => DataSets.Open(new DataSpec.Digits(), [_a.Path], DataSplit.Train)), StringComparison.Ordinal);
        Assert.Contains($"{_a.Path}/a.txt: a folder, not a file",
            Refusal(() => DataSearch.FindFile("a.txt", [_a.Path])), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_text_of_the_catalog_says_how_to_fetch_it()
    {
        Assert.Contains("cluster data get wikitext2", Refusal(() => DataSearch.FindFile("text/wikitext2-valid.txt", [_a.Path])), StringComparison.Ordinal);
        Assert.DoesNotContain("data get", Refusal(() => DataSearch.FindFile("text/mine.txt", [_a.Path])), StringComparison.Ordinal);
    }

    [Fact]
    public void Absolute_and_climbing_paths_are_the_users_own_business()
    {
        var file = _a.Write("sub/a.txt", 1);
        Assert.Equal(file, DataSearch.FindFile(file, [_b.Path]));
        Assert.Equal(file, DataSearch.FindFile($"../{Path.GetFileName(_a.Path)}/sub/a.txt", [_b.Path]));
    }

    private static string Refusal(Func<object> action) => Assert.Throws<BadInputException>(action).Message;
}
