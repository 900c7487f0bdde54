using System.Diagnostics;

namespace Cluster.Tests.Collectives;

/// <summary>Work on threads of its own, against a deadline: a call that hangs fails its test and holds nothing up.</summary>
internal static class Within
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <summary>Begins the work; the task ends with it, or with its exception.</summary>
    public static Task<T> Start<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try { done.SetResult(work()); }
            catch (Exception e) { done.SetException(e); }
        }) { IsBackground = true }.Start();
        return done.Task;
    }

    public static Task<bool> Start(Action work) => Start(() =>
    {
        work();
        return true;
    });

    /// <summary>Looks again and again, giving the processor away in between, until the state is there.</summary>
    public static void Until(Func<bool> state, string what)
    {
        var start = Stopwatch.GetTimestamp();
        while (!state())
        {
            if (Stopwatch.GetElapsedTime(start) > Limit) { Assert.Fail($"not in {Limit.TotalSeconds} s: {what}"); }
            Thread.Yield();
        }
    }
}
