using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// Formant frequencies of seven vowels by women speakers, in Hz: F1 to F3 at the steady state and at 20, 50 and 80 % of the vowel.
/// The task and the rows of Momeni et al. 2023 (arXiv:2304.11042).
/// </summary>
internal static class VowelsFile
{
    public const string Name = "vowels.csv";
    public const int Classes = 7;
    public const int Features = 12;
    private const int Folds = 5;
    private const int FirstFeature = 3;
    private const string Header = "speaker,vowel,label,F1_steady,F2_steady,F3_steady,F1_20,F2_20,F3_20,F1_50,F2_50,F3_50,F1_80,F2_80,F3_80";

    /// <summary>Of the order in which rows are dealt out to folds: fixed, so that a fold is the same rows in every job.</summary>
    private const long DealSeed = 1;

    /// <summary>
    /// One split. Each column is standardised by mean and deviation of the training rows; then the smallest training value is
    /// subtracted from all, so that those are not negative, as measured intensities are not.
    /// </summary>
    /// <param name="fold">The fifth that is evaluated, 0 to 4.</param>
    /// <exception cref="BadInputException">The file is not that table, or a split has no rows.</exception>
    public static FeatureSet Read(string path, int fold, DataSplit split)
    {
        var rows = CsvFile.Read(path, Header)
            .Select(line => (Label: line.Index(2, "a class", Classes), Values: Enumerable.Range(FirstFeature, Features).Select(line.Float).ToArray()))
            .ToArray();
        if (rows.Length < Folds) { throw new BadInputException($"{path} holds {rows.Length} rows; at least {Folds} expected, one for each fold"); }

        var deal = new Permutation(Seeds.Derive(DealSeed, SeedPurpose.Shuffle), rows.Length);
        var order = Enumerable.Range(0, rows.Length).Select(i => (Fold: i % Folds, Row: rows[deal[i]])).ToArray();
        var training = order.Where(row => row.Fold != fold).Select(row => row.Row.Values).ToArray();
        var wanted = order.Where(row => row.Fold == fold == (split == DataSplit.Evaluation)).Select(row => row.Row).ToArray();

        var scale = Scale(training);
        return new FeatureSet([.. wanted.SelectMany(row => scale(row.Values))], [.. wanted.Select(row => (byte)row.Label)], Classes);
    }

    private static Func<float[], float[]> Scale(float[][] training)
    {
        var mean = new double[Features];
        var deviation = new double[Features];
        for (var column = 0; column < Features; column++)
        {
            mean[column] = training.Average(row => (double)row[column]);
            var variance = training.Average(row => (row[column] - mean[column]) * (row[column] - mean[column]));
            deviation[column] = variance > 0 ? Math.Sqrt(variance) : 1;
        }

        var smallest = training.Min(row => Standardised(row).Min());
        return row => [.. Standardised(row).Select(value => (float)(value - smallest))];

        IEnumerable<double> Standardised(float[] row) => row.Select((value, column) => (value - mean[column]) / deviation[column]);
    }
}
