using System.Diagnostics;

namespace Cluster.Tests.EndToEnd;

/// <summary>The project's own programs, started from the folder of the tests.</summary>
internal static class Programs
{
    /// <summary>
    /// With the runtime settings of the tool: here, unlike in their own folders, the other programs lack what ASP.NET Core, which
    /// they do not use, would bring.
    /// </summary>
    /// <param name="program">File name, such as <c>Cluster.Grains.dll</c>.</param>
    public static ProcessStartInfo Start(string program, params string[] arguments) => new(
        "dotnet",
        ["exec", "--runtimeconfig", InFolder("cluster.runtimeconfig.json"), "--depsfile", InFolder("cluster.deps.json"), InFolder(program), .. arguments])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };

    private static string InFolder(string file) => Path.Combine(AppContext.BaseDirectory, file);
}
