namespace Cluster.Benchmarks;

/// <summary>A table in a file, to which lines are added as they are measured. Names and numbers only: no field has a comma or quotes.</summary>
internal static class CsvTable
{
    /// <summary>The fields of each line behind the header; none while there is no file.</summary>
    public static IEnumerable<string[]> Read(string path) => File.Exists(path) ? File.ReadLines(path).Skip(1).Select(line => line.Split(',')) : [];

    public static void Append(string path, string header, IEnumerable<string> lines) =>
        File.AppendAllLines(path, File.Exists(path) ? lines : lines.Prepend(header));
}
