using System.Runtime.InteropServices;
using Cluster.Client;

namespace Cluster.Cli.Run;

/// <summary>Ctrl-C and SIGTERM: the first asks the job to stop, the second ends the process at once.</summary>
internal sealed class Interrupts : IDisposable
{
    private readonly PosixSignalRegistration[] _signals;
    private readonly Action _first;
    private int _count;

    public Interrupts(Action first)
    {
        _first = first;
        _signals = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _count) == 1) { _first(); }
        else { Environment.Exit(ExitCodes.Interrupted); }
    }

    public void Dispose()
    {
        foreach (var signal in _signals) { signal.Dispose(); }
    }
}
