namespace Cluster.Cli.Up;

/// <summary>How to start this very program again: as an executable of its own, or as <c>dotnet cluster.dll</c>.</summary>
internal static class ThisProgram
{
    public static string Path => Environment.ProcessPath!; // Null only where there are no processes to start.

    public static string[] Arguments =>
        System.IO.Path.GetFileNameWithoutExtension(Path) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];
}
