using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data.Tokens;

namespace Cluster.Trainer.Core.Data;

/// <summary>Opens the data set that a spec names.</summary>
/// <remarks>
/// Images are scaled to 0 .. 1; MNIST, Fashion-MNIST and CIFAR-10 then to mean 0 and deviation 1 with the customary constants of
/// their training images, per colour, unless <see cref="PixelRange.Unit"/> is asked for. Constants, not measured values: a subset of
/// the data is scaled like the whole. A graph is no list of samples: see <see cref="GraphFolder"/>.
/// </remarks>
internal static class DataSets
{
    private static readonly PixelScale s_digits = PixelScale.ToUnit(DigitsFile.MaxPixel);
    private static readonly PixelScale s_mnist = PixelScale.Standardise(0.1307, 0.3081);
    private static readonly PixelScale s_fashionMnist = PixelScale.Standardise(0.2860, 0.3530);
    private static readonly PixelScale s_red = PixelScale.Standardise(0.4914, 0.2470);
    private static readonly PixelScale s_green = PixelScale.Standardise(0.4822, 0.2435);
    private static readonly PixelScale s_blue = PixelScale.Standardise(0.4465, 0.2616);
    private static readonly PixelScale s_brightness = PixelScale.Standardise(0.4809, 0.2392); // Of CIFAR-10.
    private static readonly PixelScale s_byte = PixelScale.ToUnit(byte.MaxValue);

    /// <summary>Reads one split into memory; of tokens it maps the shards instead, and checks their hashes once in a process.</summary>
    /// <param name="spec">The data set.</param>
    /// <param name="roots">Where to look; see <see cref="DataRoots"/>.</param>
    /// <param name="split">Which part.</param>
    /// <param name="sequence">Tokens in a sample. Text only, and there it must be given.</param>
    /// <param name="masked">Text only: targets are masked tokens, not the next ones.</param>
    /// <param name="pixels">Images only.</param>
    /// <exception cref="BadInputException">A file is missing or damaged, or the text is shorter than one sample.</exception>
    public static IDataSet Open(
        DataSpec spec, IReadOnlyList<string> roots, DataSplit split, int? sequence = null, bool masked = false, PixelRange pixels = PixelRange.Standardised)
    {
        if (split is not (DataSplit.Train or DataSplit.Evaluation)) { throw new ArgumentOutOfRangeException(nameof(split), split, "Train or Evaluation"); }

        var unit = pixels == PixelRange.Unit;
        return spec switch
        {
            DataSpec.Digits digits => OpenDigits(digits.Path, roots, split),
            DataSpec.Mnist mnist => OpenIdx(mnist.Path, roots, split, unit ? s_byte : s_mnist),
            DataSpec.FashionMnist fashion => OpenIdx(fashion.Path, roots, split, unit ? s_byte : s_fashionMnist),
            DataSpec.Cifar10 cifar => OpenCifar10(cifar, roots, split, unit),
            DataSpec.Vowels vowels => VowelsFile.Read(VowelsFiles(vowels.Path, roots)[0], vowels.Fold, split),
            DataSpec.Text text => OpenText(text, roots, split, sequence, masked),
            DataSpec.Tokens tokens => OpenTokens(tokens, roots, split, sequence, masked),
            _ => throw new ArgumentException($"no reader for {spec.GetType().Name}", nameof(spec)),
        };
    }

    /// <summary>One split as a model learns it: next tokens, masked tokens, masked patches, or classes.</summary>
    /// <param name="sequence">Tokens in a sample; of text alone.</param>
    /// <exception cref="BadInputException">A file is missing or damaged, or its samples do not fit the model.</exception>
    public static IDataSet OpenFor(ModelSpec model, DataSpec spec, IReadOnlyList<string> roots, DataSplit split, int? sequence = null) => model is ModelSpec.Mae mae
        ? new MaskedPatches(Open(spec, roots, split, pixels: PixelRange.Unit), mae)
        : Open(spec, roots, split, sequence, masked: model is ModelSpec.Bert);

    /// <summary>All files of a data set, those of the training split first, in the order in which they are read.</summary>
    /// <exception cref="BadInputException">A file is missing.</exception>
    public static IReadOnlyList<string> FilesOf(DataSpec spec, IReadOnlyList<string> roots)
    {
        IReadOnlyList<string> Both(Func<DataSplit, IReadOnlyList<string>> files) => [.. files(DataSplit.Train), .. files(DataSplit.Evaluation)];
        return spec switch
        {
            DataSpec.Digits digits => Both(split => DigitsFiles(digits.Path, roots, split)),
            DataSpec.Mnist mnist => Both(split => IdxFiles(mnist.Path, roots, split)),
            DataSpec.FashionMnist fashion => Both(split => IdxFiles(fashion.Path, roots, split)),
            DataSpec.Cifar10 cifar => Both(split => Cifar10FilesOf(cifar.Path, roots, split)),
            DataSpec.Vowels vowels => VowelsFiles(vowels.Path, roots),
            DataSpec.Graph graph => GraphFolder.FilesOf(graph, roots),
            DataSpec.Text text => [.. text.Files.Select(file => DataSearch.FindFile(file, roots))],
            DataSpec.Tokens tokens => DataSearch.FindFiles(tokens.Path, roots, [TokenManifest.FileName]),
            _ => throw new ArgumentException($"no reader for {spec.GetType().Name}", nameof(spec)),
        };
    }

    public static bool AreThere(DataSpec spec, IReadOnlyList<string> roots)
    {
        try { return FilesOf(spec, roots).Count > 0; }
        catch (BadInputException) { return false; }
    }

    private static IReadOnlyList<string> DigitsFiles(string path, IReadOnlyList<string> roots, DataSplit split) =>
        DataSearch.FindFiles(path, roots, [split == DataSplit.Train ? "optdigits.tra" : "optdigits.tes"]);

    private static IReadOnlyList<string> IdxFiles(string path, IReadOnlyList<string> roots, DataSplit split)
    {
        var part = split == DataSplit.Train ? "train" : "t10k";
        return DataSearch.FindFiles(path, roots, [$"{part}-images-idx3-ubyte", $"{part}-labels-idx1-ubyte"]);
    }

    private static IReadOnlyList<string> Cifar10FilesOf(string path, IReadOnlyList<string> roots, DataSplit split)
    {
        IReadOnlyList<string> official = split == DataSplit.Train
            ? ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"]
            : ["test_batch.bin"];
        IReadOnlyList<string> single = [split == DataSplit.Train ? "train.bin" : "test.bin"];
        return DataSearch.FindFiles(path, roots, official, single);
    }

    private static IReadOnlyList<string> VowelsFiles(string path, IReadOnlyList<string> roots) => DataSearch.FindFiles(path, roots, [VowelsFile.Name]);

    private static ImageSet OpenDigits(string path, IReadOnlyList<string> roots, DataSplit split)
    {
        var file = DigitsFiles(path, roots, split)[0];
        var (pixels, labels) = DigitsFile.Read(file);
        return new ImageSet(pixels, labels, DigitsFile.Classes, DigitsFile.Side, DigitsFile.Side, [s_digits]);
    }

    private static ImageSet OpenIdx(string path, IReadOnlyList<string> roots, DataSplit split, PixelScale scale)
    {
        const int side = 28, classes = 10;
        var files = IdxFiles(path, roots, split);
        var pixels = IdxFile.ReadImages(files[0], side, side);
        var labels = IdxFile.ReadLabels(files[1], classes);
        if (pixels.Length / (side * side) is var images && images != labels.Length)
        {
            throw new BadInputException($"{files[0]} holds {images:N0} images, but {files[1]} holds {labels.Length:N0} labels");
        }

        return new ImageSet(pixels, labels, classes, side, side, [scale]);
    }

    private static ImageSet OpenCifar10(DataSpec.Cifar10 spec, IReadOnlyList<string> roots, DataSplit split, bool unit)
    {
        var (pixels, labels) = Cifar10Files.Read(Cifar10FilesOf(spec.Path, roots, split));
        if (spec.Grey) { pixels = PixelPlanes.Brightness(pixels, Cifar10Files.Side * Cifar10Files.Side); }
        pixels = PixelPlanes.Middle(pixels, Cifar10Files.Side, spec.Side);
        ImmutableArray<PixelScale> scales = (spec.Grey, unit) switch
        {
            (true, true) => [s_byte],
            (true, false) => [s_brightness],
            (false, true) => [s_byte, s_byte, s_byte],
            _ => [s_red, s_green, s_blue],
        };
        return new ImageSet(pixels, labels, Cifar10Files.Classes, spec.Side, spec.Side, scales);
    }

    private static TextWindows OpenText(DataSpec.Text spec, IReadOnlyList<string> roots, DataSplit split, int? sequence, bool masked)
    {
        if (spec.Files.Count == 0) { throw new BadInputException("data.files is empty: text needs at least one file"); }
        RequireSequence(sequence);
        var files = spec.Files.Select(file => DataSearch.FindFile(file, roots)).ToArray();
        var text = TextFiles.Read(files, spec.EvaluationShare, split);
        return Windows(spec, text, sequence, masked, $"the {(split == DataSplit.Train ? "training" : "evaluation")} part of {string.Join(" + ", files)}");
    }

    /// <summary>Text that is in memory already, cut into samples.</summary>
    /// <param name="source">Names it in messages.</param>
    /// <exception cref="BadInputException">It is shorter than one sample, or the length of one is not given.</exception>
    public static TextWindows Windows(DataSpec.Text spec, byte[] text, int? sequence, bool masked, string source) =>
        Windows(new ByteRun(text), RequireSequence(sequence), masked ? spec.MaskedShare : null, source);

    private static TextWindows OpenTokens(DataSpec.Tokens spec, IReadOnlyList<string> roots, DataSplit split, int? sequence, bool masked)
    {
        var folder = TokenFolder(spec, roots);
        var all = TokenShards.Open(folder);
        var (first, end) = TextFiles.Part(all.Length, spec.EvaluationShare, split);
        return Windows(
            new TokenSlice(all, first, end - first), RequireSequence(sequence), masked ? spec.MaskedShare : null,
            $"the {(split == DataSplit.Train ? "training" : "evaluation")} part of {folder}");
    }

    /// <summary>Where the tokens' manifest lies.</summary>
    /// <exception cref="BadInputException">It is under none of the roots.</exception>
    public static string TokenFolder(DataSpec.Tokens spec, IReadOnlyList<string> roots) =>
        Path.GetDirectoryName(DataSearch.FindFiles(spec.Path, roots, [TokenManifest.FileName])[0])!;

    private static TextWindows Windows(ITokenRun tokens, int sequence, double? maskedShare, string source) => maskedShare is { } share
        ? new MaskedWindows(tokens, sequence, share, source)
        : new CausalWindows(tokens, sequence, source);

    private static int RequireSequence(int? sequence) =>
        sequence ?? throw new BadInputException("text needs a sequence length: set 'sequence', or take a model with a context");
}
