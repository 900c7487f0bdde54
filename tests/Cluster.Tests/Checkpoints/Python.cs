using System.Diagnostics;

namespace Cluster.Tests.Checkpoints;

/// <summary>Another program that reads and writes files of ours: Python with its standard library alone.</summary>
internal static class Python
{
    /// <returns>What the script wrote to its output.</returns>
    /// <exception cref="SkipException">There is no Python here.</exception>
    public static string Run(string script, params string[] arguments)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo("python3", ["-c", script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new SkipException("python3 is not installed");
        }

        using (process)
        {
            var errors = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, errors.Result);
            return output;
        }
    }
}
