namespace DynNet.Native;

/// <summary>
/// Layers of long short-term memory that compute what <see cref="VanillaLstmBuilder"/> does, under the name that
/// DyNet's files have for parameters of its <c>CompactVanillaLSTMBuilder</c>.
/// </summary>
/// <remarks>
/// Its parameters are in a sub-collection <c>compact-vanilla-lstm-builder</c>: for each layer Wx {4h, input}, Wh {4h,
/// h} and b {4h}. It keeps nothing about a graph, so graphs in any number of threads may use it at once.
/// </remarks>
public sealed class CompactVanillaLstmBuilder : LstmBuilder
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
    public CompactVanillaLstmBuilder(Model model, int layers, int inputDim, int hiddenDim)
        : base(layers, inputDim, hiddenDim) =>
        AddLayers(
            model,
            "compact-vanilla-lstm-builder",
            (own, input) => VanillaLstmCell.AddParameters(own, input, hiddenDim, VanillaLstmForm.Usual));

    /// <inheritdoc cref="VanillaLstmBuilder.SetWeightNoise"/>
    public void SetWeightNoise(double standardDeviation)
    {
        ThrowIfDisposed();
        WeightNoise.Check(standardDeviation);
        Rates = Rates with { WeightNoise = standardDeviation };
    }

    /// <inheritdoc/>
    private protected override Expression Step(in RnnStep step, int layer, Expression x)
    {
        LayerParameters p = Of(step, layer);
        return VanillaLstmCell.Record(
            step,
            layer,
            x,
            WeightNoise.Added(step.Graph, p[0], step.Rates.WeightNoise),
            WeightNoise.Added(step.Graph, p[1], step.Rates.WeightNoise),
            WeightNoise.Added(step.Graph, p[2], step.Rates.WeightNoise),
            step.Of([]),
            VanillaLstmForm.Usual);
    }
}
