using static TorchSharp.torch;

namespace Cluster.Tests.Rounds;

public sealed class MathThreadsTests
{
    /// <summary>Neither the cores of the machine nor what other threads did decide how a new thread computes.</summary>
    [Fact]
    public void A_thread_computes_with_one_math_thread_until_it_asks_for_more()
    {
        var found = 0;
        var thread = new Thread(() => found = get_num_threads());
        thread.Start();
        thread.Join();
        Assert.Equal(1, found);
    }
}
