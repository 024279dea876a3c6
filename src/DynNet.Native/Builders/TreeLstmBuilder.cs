namespace DynNet.Native;

/// <summary>
/// An LSTM over trees (Tai, Socher and Manning 2015): it makes the parameters; <see
/// cref="InitialState(ComputationGraph, ReadOnlySpan{Expression})"/> starts trees
/// in a graph, and <see cref="TreeLstmState.AddInput"/> adds a node to its children. DyNet's <c>TreeLSTMBuilder</c>.
/// </summary>
/// <remarks>
/// Nodes are values rather than numbers: a node is added after its children, in whatever order, and may be a child of
/// several. The builder keeps nothing about a graph, so graphs in any number of threads may use it at once.
/// </remarks>
public abstract class TreeLstmBuilder : IDisposable
{
    private volatile bool _disposed;

    private protected TreeLstmBuilder(int layers, int inputDim, int hiddenDim)
    {
        if (layers < 1 || inputDim < 1 || hiddenDim < 1)
        {
            throw new ArgumentException(
                $"{GetType().Name}: {layers} layers, inputs of {inputDim} and h of {hiddenDim}: "
                + "each must be at least 1.");
        }
        Layers = layers;
        InputDim = inputDim;
        HiddenDim = hiddenDim;
    }

    /// <summary>The number of layers.</summary>
    public int Layers { get; }

    /// <summary>The size of an input.</summary>
    public int InputDim { get; }

    /// <summary>The size of a node's output.</summary>
    public int HiddenDim { get; }

    /// <summary>The parameters of each layer, in the order of their creation, tables apart.</summary>
    public abstract IReadOnlyList<IReadOnlyList<Parameter>> Parameters { get; }

    /// <summary>Starts trees in a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="values">
    /// c of each layer, then h of each layer, which every node without children begins with; or none.
    /// </param>
    /// <returns>What nodes are added to, any number of trees; valid until the graph is renewed.</returns>
    /// <exception cref="ArgumentException">The number of values is not 0 or twice the number of layers.</exception>
    /// <exception cref="ShapeMismatchException">A value has another size.</exception>
    /// <exception cref="StaleExpressionException">A value is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public TreeLstmState InitialState(ComputationGraph graph, params ReadOnlySpan<Expression> values) =>
        InitialState(graph, update: true, values);

    /// <summary>Starts trees whose gradients may be kept from the parameters.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="update">Whether gradients flow into the builder's parameters; otherwise they are constants.</param>
    /// <param name="values">
    /// c of each layer, then h of each layer, which every node without children begins with; or none.
    /// </param>
    /// <returns>What nodes are added to, any number of trees; valid until the graph is renewed.</returns>
    /// <exception cref="ArgumentException">The number of values is not 0 or twice the number of layers.</exception>
    /// <exception cref="ShapeMismatchException">A value has another size.</exception>
    /// <exception cref="StaleExpressionException">A value is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public TreeLstmState InitialState(ComputationGraph graph, bool update, params ReadOnlySpan<Expression> values)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ThrowIfDisposed();
        if (values.Length != 0 && values.Length != 2 * Layers)
        {
            throw new ArgumentException(
                $"{GetType().Name}: {values.Length} values, expected none or c and h of {Layers} layers.",
                nameof(values));
        }
        return Start(graph, update, values);
    }

    /// <summary>Makes the builder unusable. The parameters stay in the model.</summary>
    public void Dispose()
    {
        _disposed = true;
        Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>Throws if the builder is disposed.</summary>
    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, this);

    /// <summary>An operand in its graph, if it is a vector of a size.</summary>
    /// <exception cref="ShapeMismatchException">It is not.</exception>
    internal Expression Checked(ComputationGraph graph, Expression x, int size, string what)
    {
        var bound = new Expression(graph, graph.Bind(x));
        Dim dim = bound.Dim;
        return dim.Rows == size && dim.BatchElementSize == size
            ? bound
            : throw new ShapeMismatchException($"{GetType().Name}: {what} is {dim}, expected {{{size}}}");
    }

    private protected abstract TreeLstmState Start(
        ComputationGraph graph, bool update, ReadOnlySpan<Expression> values);

    /// <summary>Frees what the builder holds.</summary>
    private protected virtual void Release()
    {
    }
}
