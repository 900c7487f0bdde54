using System.Runtime.CompilerServices;

namespace Cluster.Tests;

/// <summary>Installs the native loader of Cluster.Trainer before any test touches torch.</summary>
internal static class TorchSetup
{
#pragma warning disable CA2255 // The first torch call of a test run may stand in any class: only a module initializer comes before all.
    [ModuleInitializer]
    internal static void Install() => RuntimeHelpers.RunModuleConstructor(typeof(Cluster.Trainer.Core.Seeds).Module.ModuleHandle);
#pragma warning restore CA2255
}
