using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// A TreeLSTM in which a node is what a <see cref="VanillaLstmBuilder"/> makes of the sequence of its input and its
/// children's outputs, in their order.
/// </summary>
/// <remarks>
/// Its parameters are in a sub-collection <c>unidirectional-tree-lstm-builder</c>, in that of the LSTM. Values that
/// trees start with are what the sequence of each node starts with. It keeps nothing about a graph, so graphs in any
/// number of threads may use it at once.
/// </remarks>
public sealed class UnidirectionalTreeLstmBuilder : TreeLstmBuilder
{
    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="layers">The number of layers, at least 1.</param>
    /// <param name="inputDim">The size of an input.</param>
    /// <param name="hiddenDim">The size of an output: that of an input, since children are read as inputs are.</param>
    /// <remarks>
    /// Must not run beside anything else that uses the model, which is as before if this fails.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1.</exception>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public UnidirectionalTreeLstmBuilder(Model model, int layers, int inputDim, int hiddenDim)
        : base(layers, inputDim, hiddenDim)
    {
        ArgumentNullException.ThrowIfNull(model);
        ChainTreeLstm.CheckSizes(inputDim, hiddenDim);
        NodeBuilder = model.AllOrNothing(() =>
        {
            using Model own = model.AddSubcollection("unidirectional-tree-lstm-builder");
            return new VanillaLstmBuilder(own, layers, inputDim, hiddenDim);
        });
    }

    /// <summary>The LSTM that reads a node and its children; disposed with this builder.</summary>
    public VanillaLstmBuilder NodeBuilder { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<IReadOnlyList<Parameter>> Parameters => NodeBuilder.Parameters;

    /// <inheritdoc/>
    private protected override TreeLstmState Start(
        ComputationGraph graph, RnnRates rates, ReadOnlySpan<Expression> values) =>
        new State(this, graph, ChainTreeLstm.Start(NodeBuilder, graph, rates, values));

    /// <inheritdoc/>
    private protected override void KeepDropout(double inputRate, double hiddenRate) =>
        NodeBuilder.SetDropout(inputRate, hiddenRate);

    /// <inheritdoc/>
    private protected override RnnRates Rates => NodeBuilder.Rates;

    /// <inheritdoc/>
    private protected override void Release() => NodeBuilder.Dispose();

    private sealed class State(UnidirectionalTreeLstmBuilder builder, ComputationGraph graph, RnnState start)
        : TreeLstmState(builder, graph)
    {
        private protected override TreeLstmNode Add(Expression x, ReadOnlySpan<TreeLstmNode> children)
        {
            RnnState state = ChainTreeLstm.Read(start, x, children, backwards: false);
            var parts = new ExpressionList(state.Count);
            state.Expressions.AsReadOnlySpan()[..state.Count].CopyTo(parts.AsSpan());
            return new TreeLstmNode(this, state.Output, parts);
        }
    }
}
