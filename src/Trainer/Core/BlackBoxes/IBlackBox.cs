namespace Cluster.Trainer.Core.BlackBoxes;

/// <summary>
/// A layer that can only be measured: a cavity, a fibre, a program of somebody else. It has no parameters that a learner could see and no
/// derivative; the numbers that come back are data.
/// </summary>
/// <remarks>May be slow, noisy, and change with time. Called by one thread.</remarks>
internal interface IBlackBox : IDisposable
{
    /// <summary>Puts a batch of vectors in and reads a batch of vectors out.</summary>
    /// <param name="inputs">[n, width], row by row.</param>
    /// <param name="moment">When it is measured: a simulated box is a function of it, a real one need not care.</param>
    /// <returns>[n, width], row by row.</returns>
    /// <exception cref="BlackBoxException">It gave no usable answer, or none in time.</exception>
    float[] Measure(float[] inputs, int width, Moment moment);
}

/// <param name="Time">The number of the batch, from 0: what drifts has come so far.</param>
/// <param name="First">The number of the first vector among all that are measured at that time: noise differs from vector to vector.</param>
internal readonly record struct Moment(long Time, long First);

/// <summary>A black box gave no usable answer; the message says which and what.</summary>
internal sealed class BlackBoxException(string message) : Exception(message);
