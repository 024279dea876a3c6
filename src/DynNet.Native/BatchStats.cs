namespace DynNet.Native;

/// <summary>How well the latest forward of a graph was batched.</summary>
/// <param name="Nodes">The nodes computed; parameters and inputs are not counted, and of nodes that compute the same, one.</param>
/// <param name="Batches">The kernel batches that computed them.</param>
/// <param name="BatchedNodes">The nodes that ran in a batch with at least one other.</param>
public readonly record struct BatchStats(long Nodes, long Batches, long BatchedNodes);
