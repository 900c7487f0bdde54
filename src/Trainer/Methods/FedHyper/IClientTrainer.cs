using Cluster.Trainer.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>What the clients of a round begin with.</summary>
/// <param name="Weights">w(t), then running statistics: [Layout.Length].</param>
/// <param name="LastUpdate">D(t-1), [P]; null before the first round is applied.</param>
/// <param name="Beta">β of a client's first step.</param>
internal readonly record struct GlobalModel(Tensor Weights, Tensor? LastUpdate, double Beta);

/// <summary>A client after its local steps.</summary>
/// <param name="Weights">w_m(t,K), then its running statistics: [Layout.Length]. Valid until another client is asked for.</param>
/// <param name="First">Scalars of its first batch.</param>
/// <param name="Last">Scalars of its last batch; their loss is not finite where that ended the run.</param>
/// <param name="Total">Scalars of all its batches.</param>
/// <param name="IsLate">The deadline came before its last step.</param>
internal readonly record struct TrainedClient(Tensor Weights, LocalRun Run, Tally First, Tally Last, Tally Total, bool IsLate);

/// <summary>Computes the clients' part of a round.</summary>
internal interface IClientTrainer : IDisposable
{
    /// <summary>
    /// The local steps of one client of the cohort, which depend on the global model, the round and the cohort alone, but for where a
    /// deadline ends them. A worker asks for
    /// its clients in the order of the cohort; whatever is computed together for several of them is kept between these calls.
    /// </summary>
    TrainedClient Train(long round, IReadOnlyList<Leaf> cohort, Leaf leaf, GlobalModel global);
}
