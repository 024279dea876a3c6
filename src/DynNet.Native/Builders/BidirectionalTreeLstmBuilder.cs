namespace DynNet.Native;

/// <summary>
/// A TreeLSTM in which a node is what two <see cref="VanillaLstmBuilder"/>s make of the sequence of its input and its
/// children's outputs: the one with the children in their order, the other in the opposite one. The output is that of
/// the first, then that of the second.
/// </summary>
/// <remarks>
/// Its parameters are in a sub-collection <c>bidirectional-tree-lstm-builder</c>, in those of the two LSTMs. Values
/// that trees start with are {hidden / 2}: what the sequence of each node starts with, in both LSTMs. It keeps nothing
/// about a graph, so graphs in any number of threads may use it at once.
/// </remarks>
public sealed class BidirectionalTreeLstmBuilder : TreeLstmBuilder
{
    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="layers">The number of layers, at least 1.</param>
    /// <param name="inputDim">The size of an input.</param>
    /// <param name="hiddenDim">
    /// The size of an output, even: that of an input, since children are read as inputs are.
    /// </param>
    /// <remarks>
    /// Must not run beside anything else that uses the model, which is as before if this fails.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1.</exception>
    /// <exception cref="ArgumentException">The output is odd, or the sizes differ.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public BidirectionalTreeLstmBuilder(Model model, int layers, int inputDim, int hiddenDim)
        : base(layers, inputDim, hiddenDim)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (hiddenDim % 2 != 0)
            throw new ArgumentException($"An output of {hiddenDim}: it must be even.", nameof(hiddenDim));
        ChainTreeLstm.CheckSizes(inputDim, hiddenDim);
        (ForwardBuilder, BackwardBuilder) = model.AllOrNothing(() =>
        {
            using Model own = model.AddSubcollection("bidirectional-tree-lstm-builder");
            var forward = new VanillaLstmBuilder(own, layers, inputDim, hiddenDim / 2);
            return (forward, new VanillaLstmBuilder(own, layers, inputDim, hiddenDim / 2));
        });
    }

    /// <summary>The LSTM that reads the children in their order; disposed with this builder.</summary>
    public VanillaLstmBuilder ForwardBuilder { get; }

    /// <summary>The LSTM that reads the children in the opposite order; disposed with this builder.</summary>
    public VanillaLstmBuilder BackwardBuilder { get; }

    /// <summary>The parameters of each layer: those of the forward LSTM, then those of the backward one.</summary>
    public override IReadOnlyList<IReadOnlyList<Parameter>> Parameters => Array.AsReadOnly<IReadOnlyList<Parameter>>(
    [
        .. ForwardBuilder.Parameters.Zip(
            BackwardBuilder.Parameters, (forward, backward) => Array.AsReadOnly([.. forward, .. backward])),
    ]);

    /// <inheritdoc/>
    private protected override TreeLstmState Start(
        ComputationGraph graph, RnnRates rates, ReadOnlySpan<Expression> values) =>
        new State(
            this,
            graph,
            ChainTreeLstm.Start(ForwardBuilder, graph, rates, values),
            ChainTreeLstm.Start(BackwardBuilder, graph, rates, values));

    /// <inheritdoc/>
    private protected override RnnRates Rates => ForwardBuilder.Rates;

    /// <inheritdoc/>
    private protected override void KeepDropout(double inputRate, double hiddenRate)
    {
        // Each is open to the caller, who may have disposed it alone.
        ForwardBuilder.ThrowIfDisposed();
        BackwardBuilder.ThrowIfDisposed();
        ForwardBuilder.SetDropout(inputRate, hiddenRate);
        BackwardBuilder.SetDropout(inputRate, hiddenRate);
    }

    /// <inheritdoc/>
    private protected override void Release()
    {
        ForwardBuilder.Dispose();
        BackwardBuilder.Dispose();
    }

    private sealed class State(
        BidirectionalTreeLstmBuilder builder, ComputationGraph graph, RnnState forward, RnnState backward)
        : TreeLstmState(builder, graph)
    {
        private protected override bool HasVectors => false;

        private protected override TreeLstmNode Add(Expression x, ReadOnlySpan<TreeLstmNode> children)
        {
            RnnState first = ChainTreeLstm.Read(forward, x, children, backwards: false);
            RnnState second = ChainTreeLstm.Read(backward, x, children, backwards: true);
            return new TreeLstmNode(this, Ops.Concatenate(first.Output, second.Output), default);
        }
    }
}
