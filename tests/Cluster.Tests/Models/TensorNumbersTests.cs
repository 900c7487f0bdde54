using System.Runtime.CompilerServices;
using Cluster.Trainer.Core.Native;

namespace Cluster.Tests.Models;

/// <summary>A number lives for as long as libtorch may read it, whatever the garbage collector does meanwhile.</summary>
public sealed class TensorNumbersTests
{
    [Fact]
    public void A_number_is_held_until_its_thread_has_asked_for_dozens_more()
    {
        var number = New();
        for (var i = 0; i < 16; i++) { TensorNumbers.Number(i); }
        Collect();
        Assert.True(number.IsAlive);

        for (var i = 0; i < 64; i++) { TensorNumbers.Number(i); }
        Collect();
        Assert.False(number.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference New() => new(TensorNumbers.Number(0.5));

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
