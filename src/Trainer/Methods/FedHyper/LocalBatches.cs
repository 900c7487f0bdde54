using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>
/// Which of its samples a client takes in which local step: a shuffle of its own in every round and epoch. With local epochs the last
/// batch of each may be smaller; with local steps all have the same size and run on into the next epoch.
/// </summary>
internal sealed class LocalBatches
{
    private readonly SampleStream _stream;
    private readonly int _size;
    private readonly bool _endsWithEpoch;

    /// <param name="samples">The client's.</param>
    public LocalBatches(FederatedSpec spec, long seed, long round, int client, int samples)
    {
        _stream = new SampleStream((long)Seeds.Derive(seed, SeedPurpose.LocalOrder, round, client), samples);
        _size = Math.Min(spec.LocalBatch, samples);
        _endsWithEpoch = spec.LocalEpochs is not null;
        StepsPerEpoch = ((samples - 1) / _size) + 1;
        Steps = spec.LocalEpochs * StepsPerEpoch ?? spec.LocalSteps ?? throw new ArgumentException("the spec was not checked: neither local steps nor epochs", nameof(spec));
    }

    /// <summary>K.</summary>
    public long Steps { get; }

    public long StepsPerEpoch { get; }

    /// <summary>Places in the client's list of samples, of local step <paramref name="step"/>.</summary>
    public long[] At(long step)
    {
        var (epoch, inEpoch) = Math.DivRem(step, StepsPerEpoch);
        var first = _endsWithEpoch ? (epoch * _stream.Count) + (inEpoch * _size) : step * _size;
        var places = new long[_endsWithEpoch ? Math.Min(_size, _stream.Count - (inEpoch * _size)) : _size];
        _stream.Fill(first, places);
        return places;
    }
}
