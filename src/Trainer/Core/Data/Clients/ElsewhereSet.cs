using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Data.Clients;

/// <summary>What a site holds, seen from anywhere else: nothing, not even how much it is.</summary>
/// <param name="evaluation">Samples of the same kind.</param>
internal sealed class ElsewhereSet(string site, IDataSet evaluation) : IDataSet
{
    public long Count => 0;

    public IReadOnlyList<long> InputShape => evaluation.InputShape;

    public int Classes => evaluation.Classes;

    public Batch Gather(ReadOnlySpan<long> samples, ulong seed, Device device) =>
        throw new InvalidOperationException($"the data of site '{site}' are read nowhere else");
}
