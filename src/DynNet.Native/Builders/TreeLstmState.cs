namespace DynNet.Native;

/// <summary>
/// What the nodes of trees in one graph are added to; <see
/// cref="TreeLstmBuilder.InitialState(ComputationGraph, ReadOnlySpan{Expression})"/> makes it.
/// </summary>
/// <remarks>It is valid until its graph is renewed, or reverted to before it was made. Used as its graph is, by one
/// thread at a time.</remarks>
public abstract class TreeLstmState
{
    private protected TreeLstmState(TreeLstmBuilder builder, ComputationGraph graph)
    {
        Builder = builder;
        Graph = graph;
    }

    internal TreeLstmBuilder Builder { get; }

    internal ComputationGraph Graph { get; }

    /// <summary>Adds a node.</summary>
    /// <param name="x">Its input {input}.</param>
    /// <param name="children">The nodes below it, in their order; none for a leaf.</param>
    /// <returns>The node.</returns>
    /// <exception cref="ArgumentException">A child is of another builder.</exception>
    /// <exception cref="ShapeMismatchException">The input has another size.</exception>
    /// <exception cref="StaleExpressionException">
    /// The input or a child is stale, of another graph, or default.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public TreeLstmNode AddInput(Expression x, params ReadOnlySpan<TreeLstmNode> children)
    {
        Builder.ThrowIfDisposed();
        Expression input = Builder.Checked(Graph, x, Builder.InputDim, "x");
        foreach (ref readonly TreeLstmNode child in children)
        {
            if (child.Builder != Builder)
                throw new ArgumentException("A child is a node of another builder.", nameof(children));
        }
        return Add(input, children);
    }

    private protected abstract TreeLstmNode Add(Expression x, ReadOnlySpan<TreeLstmNode> children);
}
