using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Cluster.Benchmarks;

/// <summary>A Python program that answers one JSON line for each JSON line it is sent: the other side of a comparison.</summary>
internal sealed class PythonPeer : IDisposable
{
    private readonly Process _process;

    private PythonPeer(Process process) => _process = process;

    /// <summary>Starts the script that lies beside this program, or returns null when this Python has no torch.</summary>
    /// <param name="python">The interpreter; Debian's python3-torch belongs to /usr/bin/python3.</param>
    /// <param name="threads">
    /// For OpenMP and for OpenBLAS, which has threads of its own: torch.set_num_threads does not reach them, and "one thread"
    /// would silently be all cores.
    /// </param>
    /// <remarks>
    /// The other side gets the OpenMP wait policy that our own processes have. Left to itself, PyTorch's OpenMP threads spin
    /// against OpenBLAS's, and a step on two threads takes two to three times as long.
    /// </remarks>
    public static PythonPeer? Start(string python, string script, int threads)
    {
        if (!File.Exists(python)) { return null; }
        using var check = Process.Start(new ProcessStartInfo(python, ["-c", "import torch"]) { RedirectStandardError = true })!;
        check.WaitForExit();
        if (check.ExitCode != 0) { return null; }

        var start = new ProcessStartInfo(python, [Path.Combine(AppContext.BaseDirectory, script)]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var variable in new[] { "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS" })
        {
            start.Environment[variable] = threads.ToString(CultureInfo.InvariantCulture);
        }

        start.Environment["OMP_WAIT_POLICY"] = "PASSIVE";
        start.Environment["GOMP_SPINCOUNT"] = "1000";

        return new(Process.Start(start)!);
    }

    public JsonElement Ask(object command)
    {
        _process.StandardInput.WriteLine(JsonSerializer.Serialize(command));
        _process.StandardInput.Flush();
        var answer = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the Python side of the comparison ended early");
        return JsonDocument.Parse(answer).RootElement;
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
