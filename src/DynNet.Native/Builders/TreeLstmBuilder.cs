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
    private volatile RnnRates _rates = RnnRates.None;
    private volatile bool _disposed;

    private protected TreeLstmBuilder(int layers, int inputDim, int hiddenDim)
    {
        RnnBuilder.CheckSizes(this, layers, inputDim, hiddenDim);
        Layers = layers;
        InputDim = inputDim;
        HiddenDim = hiddenDim;
    }

    /// <summary>The number of layers: 1 to 2^24.</summary>
    public int Layers { get; }

    /// <summary>The size of an input.</summary>
    public int InputDim { get; }

    /// <summary>The size of a node's output.</summary>
    public int HiddenDim { get; }

    /// <summary>
    /// The dropout rate for the inputs of each layer that trees have if they start now; 0 without dropout.
    /// </summary>
    public double InputDropout => Rates.Input;

    /// <summary>
    /// The dropout rate for the h that a node gets from its children that trees have if they start now; 0 without
    /// dropout.
    /// </summary>
    public double HiddenDropout => Rates.Hidden;

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
        return Start(graph, update ? _rates : _rates with { IsConstant = true }, values);
    }

    /// <summary>
    /// Sets one dropout rate for inputs and for h, for training. Trees that start afterwards have it.
    /// </summary>
    /// <param name="rate">0 or more, less than 1.</param>
    /// <remarks>As <see cref="SetDropout(double, double)"/>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The rate is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The builder is disposed.</exception>
    public void SetDropout(double rate) => SetDropout(rate, rate);

    /// <summary>Sets the dropout rates, for training. Trees that start afterwards have them.</summary>
    /// <param name="inputRate">The rate for the inputs of each layer, 0 or more and less than 1.</param>
    /// <param name="hiddenRate">
    /// The rate for the h that a node gets, in each layer, from its children or from the values that leaves begin with;
    /// in a builder that reads a node and its children as a sequence, for the h from the step before. 0 or more and
    /// less than 1.
    /// </param>
    /// <remarks>
    /// There is one mask of each kind for each layer, drawn when trees start: all nodes that are added to one <see
    /// cref="TreeLstmState"/> have the same, as the steps of a sequence have (Gal and Ghahramani 2016), and so have all
    /// batch elements. Where each tree is to have its own, start a state for each. Elements that are kept are divided
    /// by 1 - rate. The memory c is whole. Must not run beside a thread that starts trees.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A rate is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The builder is disposed.</exception>
    public void SetDropout(double inputRate, double hiddenRate)
    {
        ThrowIfDisposed();
        RnnRates.Check(inputRate, nameof(inputRate));
        RnnRates.Check(hiddenRate, nameof(hiddenRate));
        KeepDropout(inputRate, hiddenRate);
    }

    /// <summary>Ends dropout, for trees that start afterwards.</summary>
    /// <exception cref="ObjectDisposedException">The builder is disposed.</exception>
    public void DisableDropout() => SetDropout(0, 0);

    /// <summary>Gives this builder's parameters the values of another's, those of tables included.</summary>
    /// <param name="other">A builder of the same kind, with the same sizes.</param>
    /// <remarks>
    /// The values are copied; each builder trains its own afterwards. Must not run beside anything else that uses the
    /// models.
    /// </remarks>
    /// <exception cref="ArgumentException">The other is of another kind, or its parameters of other shapes.</exception>
    /// <exception cref="ObjectDisposedException">A model is disposed.</exception>
    public void CopyFrom(TreeLstmBuilder other)
    {
        ParameterLists.CheckKind(other, this);
        ParameterLists.Copy(
            [.. other.Parameters.SelectMany(layer => layer)],
            [.. Parameters.SelectMany(layer => layer)],
            [.. other.AllTables()],
            [.. AllTables()]);
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

    /// <summary>What trees that start now are disturbed by: where there are builders of nodes, the first's.</summary>
    private protected virtual RnnRates Rates => _rates;

    private protected abstract TreeLstmState Start(
        ComputationGraph graph, RnnRates rates, ReadOnlySpan<Expression> values);

    /// <summary>Keeps dropout rates where trees that start find them.</summary>
    private protected virtual void KeepDropout(double inputRate, double hiddenRate) =>
        _rates = _rates with { Input = inputRate, Hidden = hiddenRate };

    /// <summary>The tables of all layers.</summary>
    private protected virtual IEnumerable<LookupParameter> AllTables() => [];

    /// <summary>Frees what the builder holds.</summary>
    private protected virtual void Release()
    {
    }
}
