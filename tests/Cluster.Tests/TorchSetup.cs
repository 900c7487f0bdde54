using System.Runtime.CompilerServices;

namespace Cluster.Tests;

/// <summary>Runs the module initializer of Cluster.Trainer, which loads libtorch, before a test makes its first torch call.</summary>
internal static class TorchSetup
{
#pragma warning disable CA2255 // A test assembly has no other place that runs before every test.
    [ModuleInitializer]
    internal static void Load() =>
        RuntimeHelpers.RunModuleConstructor(typeof(Cluster.Trainer.Core.Seeds).Module.ModuleHandle);
#pragma warning restore CA2255
}
