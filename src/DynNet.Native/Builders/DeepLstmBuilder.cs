namespace DynNet.Native;

/// <summary>
/// Layers of the cell of <see cref="CoupledLstmBuilder"/>, connected as a deep network: each layer but the first has
/// the input itself beside h' of the one below, and the output is h' of all layers, the first first.
/// </summary>
/// <remarks>
/// Its parameters are in a sub-collection <c>deep-lstm-builder</c>, for each layer those of the coupled cell; the input
/// of all layers but the first is {hidden + input}. Where nothing went before, o does not look at c', as in DyNet. It
/// keeps nothing about a graph, so graphs in any number of threads may use it at once.
/// </remarks>
public sealed class DeepLstmBuilder : LstmBuilder
{
    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="layers">The number of layers, at least 1.</param>
    /// <param name="inputDim">The size of an input.</param>
    /// <param name="hiddenDim">The size of each layer's c and h.</param>
    /// <remarks>
    /// Must not run beside anything else that uses the model, which is as before if this fails.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public DeepLstmBuilder(Model model, int layers, int inputDim, int hiddenDim)
        : base(layers, inputDim, hiddenDim) =>
        AddLayers(
            model,
            "deep-lstm-builder",
            (own, input) => CoupledLstmCell.AddParameters(own, input, hiddenDim, diagonal: false));

    /// <summary>The size of the output: h of all layers.</summary>
    public override int OutputDim => Layers * HiddenDim;

    /// <inheritdoc/>
    internal override int OutputIndex(int count) => count - 1;

    // The last part is the output; the one before it the input, while a step is recorded.
    private protected override int OwnCount(RnnRates rates) => 2;

    /// <inheritdoc/>
    private protected override int InputSize(int layer) => layer == 0 ? InputDim : HiddenDim + InputDim;

    /// <inheritdoc/>
    private protected override void SetOutput(in RnnStep step)
    {
        var hs = new Expression[Layers];
        for (int layer = 0; layer < Layers; layer++)
            hs[layer] = step.H(layer);
        step[step.Count - 1] = Ops.Concatenate(hs);
    }

    /// <inheritdoc/>
    private protected override Expression Step(in RnnStep step, int layer, Expression x)
    {
        if (layer == 0)
            step[step.Count - 2] = x;
        Expression input = layer == 0 ? x : Ops.Concatenate(x, step[step.Count - 2]);
        return CoupledLstmCell.Record(
            step, layer, input, Of(step, layer), CoupledLstmCell.Peephole.Full, firstOutputLooks: false);
    }
}
