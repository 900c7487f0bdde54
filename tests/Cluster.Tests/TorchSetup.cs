using System.Runtime.CompilerServices;

namespace Cluster.Tests;

/// <summary>Runs the module initializer of Cluster.Trainer, which makes libtorch loadable, before the first test touches torch.</summary>
internal static class TorchSetup
{
#pragma warning disable CA2255 // The tests' own entry point is the test host's.
    [ModuleInitializer]
    internal static void Install() => RuntimeHelpers.RunModuleConstructor(typeof(Cluster.Trainer.Core.Seeds).Module.ModuleHandle);
#pragma warning restore CA2255
}
