using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data;

/// <summary>A file that a data set consists of.</summary>
/// <param name="Path">Below a data root, with '/'.</param>
/// <param name="Bytes">Its exact length.</param>
/// <param name="Sha256">In lower-case hexadecimal.</param>
internal sealed record CatalogFile(string Path, long Bytes, string Sha256);

/// <summary>One thing to fetch: the file itself, or a <c>.tar.gz</c> of which the members are kept.</summary>
/// <param name="Url">Its public home.</param>
/// <param name="File">What the server sends.</param>
/// <param name="Members">The files to take out of the archive; empty when it is none.</param>
internal sealed record CatalogDownload(Uri Url, CatalogFile File, ImmutableArray<CatalogFile> Members)
{
    /// <summary>What must lie in the data root in the end.</summary>
    public ImmutableArray<CatalogFile> Kept => Members is [] ? [File] : Members;
}

/// <summary>A data set of <c>cluster data get</c>.</summary>
internal sealed record CatalogEntry(string Name, string About, string Licence, ImmutableArray<CatalogDownload> Downloads);

/// <summary>The data sets that <c>cluster data get NAME</c> knows, with their public homes.</summary>
internal static class DataCatalog
{
    public static ImmutableArray<CatalogEntry> Entries { get; } =
    [
        new("mnist", "MNIST: handwritten digits, 28x28, 60,000 + 10,000 (LeCun, Cortes, Burges 1998)", "CC BY-SA 3.0 as commonly given; the source states none",
            Idx("mnist", "https://ossci-datasets.s3.amazonaws.com/mnist/", [
                ("train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
                ("train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
                ("t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
                ("t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
            ])),
        new("fashion-mnist", "Fashion-MNIST: clothing, 28x28, 60,000 + 10,000 (Xiao, Rasul, Vollgraf 2017)", "MIT",
            Idx("fashion-mnist", "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/", [
                ("train-images-idx3-ubyte.gz", 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
                ("train-labels-idx1-ubyte.gz", 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
                ("t10k-images-idx3-ubyte.gz", 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
                ("t10k-labels-idx1-ubyte.gz", 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
            ])),
        new("cifar10", "CIFAR-10: colour photographs, 32x32, 50,000 + 10,000 (Krizhevsky 2009)", "none stated; research use is customary",
        [
            // The archive's SHA-256 belongs to the MD5 that its home page gives, c32a1d4ab5d03f1284b67883e8d87530.
            new(new("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"),
                new("cifar10/cifar-10-binary.tar.gz", 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
                [
                    new("cifar10/data_batch_1.bin", 30_730_000, "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
                    new("cifar10/data_batch_2.bin", 30_730_000, "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
                    new("cifar10/data_batch_3.bin", 30_730_000, "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
                    new("cifar10/data_batch_4.bin", 30_730_000, "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
                    new("cifar10/data_batch_5.bin", 30_730_000, "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
                    new("cifar10/test_batch.bin", 30_730_000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
                ]),
        ]),
        new("tinyshakespeare", "Tiny Shakespeare: plays, 1.1 MB of English (Karpathy 2015)", "public domain",
        [
            new(new("https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt"),
                new("text/tinyshakespeare.txt", 1_115_394, "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"), []),
        ]),
        new("wikitext2", "WikiText-2: its validation and test parts, 2.4 MB of English (Merity et al. 2016)", "CC BY-SA",
        [
            new(new("https://raw.githubusercontent.com/pytorch/examples/main/word_language_model/data/wikitext-2/valid.txt"),
                new("text/wikitext2-valid.txt", 1_121_681, "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8"), []),
            new(new("https://raw.githubusercontent.com/pytorch/examples/main/word_language_model/data/wikitext-2/test.txt"),
                new("text/wikitext2-test.txt", 1_256_449, "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0"), []),
        ]),
    ];

    /// <exception cref="BadInputException">No data set has that name.</exception>
    public static CatalogEntry Find(string name) =>
        Entries.FirstOrDefault(entry => entry.Name == name)
        ?? throw new BadInputException($"no data set '{name}'; there are {string.Join(", ", Entries.Select(entry => entry.Name))}");

    /// <summary>The data set that would put something at this path below a root, or null.</summary>
    public static CatalogEntry? Holding(string path) =>
        Entries.FirstOrDefault(entry => entry.Downloads.SelectMany(download => download.Kept)
            .Any(file => file.Path == path || file.Path.StartsWith(path.TrimEnd('/') + '/', StringComparison.Ordinal)));

    private static ImmutableArray<CatalogDownload> Idx(string folder, string home, ReadOnlySpan<(string Name, long Bytes, string Sha256)> files)
    {
        var downloads = ImmutableArray.CreateBuilder<CatalogDownload>();
        foreach (var (name, bytes, sha256) in files)
        {
            downloads.Add(new(new(home + name), new($"{folder}/{name}", bytes, sha256), []));
        }

        return downloads.ToImmutable();
    }
}
