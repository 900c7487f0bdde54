using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Graphs;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>What the embeddings of one layer are asked for: the classes of nodes, or whether pairs are joined.</summary>
internal interface IEmbeddingTask : IDisposable
{
    /// <summary>F.</summary>
    long Inputs { get; }

    /// <summary>Training samples.</summary>
    int Samples { get; }

    /// <summary>Who sends messages to whom while layers learn and are validated.</summary>
    Adjacency Messages { get; }

    /// <summary>The same for the test.</summary>
    Adjacency TestMessages { get; }

    /// <summary>X of all nodes of these graphs, [N, F].</summary>
    Tensor Features { get; }

    /// <summary>The nodes whose embeddings some samples need; null for all.</summary>
    IReadOnlyList<int>? NodesOf(int first, int count);

    /// <summary>The loss of some samples.</summary>
    /// <param name="h">Embeddings of <see cref="NodesOf"/>, [R, d].</param>
    /// <returns>The sums, and the gradient of Σ ℓ to h.</returns>
    (GraphTally Tally, Tensor ByH) Learn(Tensor h, int first, int count);

    /// <summary>The nodes whose embeddings an examination needs; null for all.</summary>
    IReadOnlyList<int>? NodesOf(Examination part);

    /// <summary>Probabilities as this layer gives them, to be added over layers.</summary>
    /// <param name="h">Embeddings of <see cref="NodesOf(Examination)"/>, [R, d].</param>
    Tensor Scores(Tensor h, Examination part);

    /// <summary>What is right of the validation, of <see cref="ValidationTotal"/>.</summary>
    long Right(Tensor scores);

    long ValidationTotal { get; }

    /// <param name="scores">Mean over the layers.</param>
    Tally Judge(Tensor scores);
}

internal enum Examination
{
    None = 0,
    Validation,
    Test,
}
