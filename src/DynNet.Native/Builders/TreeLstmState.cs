using DynNet.Native.Interop;

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

    /// <summary>Whether a node has a c and an h in each layer.</summary>
    private protected virtual bool HasVectors => true;

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

    /// <summary>
    /// Adds a node of given values, which no cell computes: one that another network has made, for instance.
    /// </summary>
    /// <param name="values">c {hidden} of each layer, then h {hidden} of each layer.</param>
    /// <returns>The node, a child for others; its output is h of the last layer.</returns>
    /// <exception cref="ArgumentException">The number of values is not twice the number of layers.</exception>
    /// <exception cref="InvalidOperationException">
    /// The builder is bidirectional: a node is the output of two networks.
    /// </exception>
    /// <exception cref="ShapeMismatchException">A value has another size.</exception>
    /// <exception cref="StaleExpressionException">A value is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public TreeLstmNode AddNode(params ReadOnlySpan<Expression> values)
    {
        Builder.ThrowIfDisposed();
        if (!HasVectors)
            throw new InvalidOperationException("A bidirectional builder has no c and h of a node to be given.");
        if (values.Length != 2 * Builder.Layers)
        {
            throw new ArgumentException(
                $"{values.Length} values for a node, expected c and h of {Builder.Layers} layers.", nameof(values));
        }
        Expression[] vectors = CheckedVectors(values, "a vector of the node");
        var parts = new ExpressionList(vectors.Length);
        for (int i = 0; i < vectors.Length; i++)
            parts.AsSpan()[i] = vectors[i].Native;
        return new TreeLstmNode(this, vectors[^1], parts);
    }

    /// <summary>Values in this graph, if they are vectors {hidden}.</summary>
    /// <exception cref="ShapeMismatchException">One is not.</exception>
    private protected Expression[] CheckedVectors(ReadOnlySpan<Expression> values, string what)
    {
        var vectors = new Expression[values.Length];
        for (int i = 0; i < vectors.Length; i++)
            vectors[i] = Builder.Checked(Graph, values[i], Builder.HiddenDim, what);
        return vectors;
    }

    private protected abstract TreeLstmNode Add(Expression x, ReadOnlySpan<TreeLstmNode> children);
}
