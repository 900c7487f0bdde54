using System.Collections.Immutable;
using Cluster.Trainer.Core.Graphs;

namespace Cluster.Trainer.Core.Data;

/// <summary>A graph held in memory.</summary>
/// <param name="Nodes">N.</param>
/// <param name="Classes">K.</param>
/// <param name="Edges">Both directions of every undirected edge, without self loops.</param>
/// <param name="Features">[N, columns]; each row's sum is at most 1.</param>
/// <param name="Labels">[N], each below K.</param>
/// <param name="Split">Null where none was asked for.</param>
internal sealed record GraphData(int Nodes, int Classes, Adjacency Edges, SparseMatrix Features, int[] Labels, NodeSplit? Split);

/// <summary>Disjoint sets of nodes; each has at least one.</summary>
internal sealed record NodeSplit(ImmutableArray<int> Train, ImmutableArray<int> Validation, ImmutableArray<int> Test);
