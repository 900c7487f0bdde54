namespace Cluster.Contracts.Spec;

/// <summary>A black box, by <c>kind</c>: as many numbers in as out, measured and never differentiated.</summary>
public abstract record BoxSpec
{
    private BoxSpec() { }

    /// <summary>tanh(M·u + c)², u the direction of |h|: a smooth random medium.</summary>
    public sealed record Smooth : BoxSpec
    {
        /// <summary>Standard deviation of the Gaussian noise on each output.</summary>
        [AtLeast(0), AtMost(1_000)]
        public double Noise { get; init; }

        /// <summary>How fast the medium turns into another one, in radians per batch.</summary>
        [AtLeast(0), AtMost(1)]
        public double Drift { get; init; }
    }

    /// <summary>Two bits per input, a random mixture of them, its absolute value: its derivative is zero almost everywhere.</summary>
    public sealed record Quantised : BoxSpec
    {
        /// <summary>Standard deviation of the Gaussian noise on each output.</summary>
        [AtLeast(0), AtMost(1_000)]
        public double Noise { get; init; }

        /// <summary>How fast the mixture turns into another one, in radians per batch.</summary>
        [AtLeast(0), AtMost(1)]
        public double Drift { get; init; }
    }

    /// <summary>A random table over a random projection of the input, with straight lines between its entries.</summary>
    public sealed record Table : BoxSpec
    {
        /// <summary>Entries of one output's table.</summary>
        [AtLeast(2), AtMost(65_536)]
        public int Entries { get; init; } = 32;

        /// <summary>Standard deviation of the Gaussian noise on each output.</summary>
        [AtLeast(0), AtMost(1_000)]
        public double Noise { get; init; }

        /// <summary>How fast the projection turns into another one, in radians per batch.</summary>
        [AtLeast(0), AtMost(1)]
        public double Drift { get; init; }
    }

    /// <summary>A device behind another process: a connection is opened to it, and each measurement is one request and one reply.</summary>
    public sealed record Device : BoxSpec
    {
        /// <summary><c>host:port</c> of a TCP listener, for example <c>127.0.0.1:7000</c>.</summary>
        public required string Address { get; init; }

        /// <summary>A measurement that is not there after so many milliseconds has failed.</summary>
        [AtLeast(1), AtMost(86_400_000)]
        public int DeadlineMs { get; init; } = 10_000;
    }
}
