namespace DynNet.Native;

/// <summary>
/// Layers of gated recurrent units (Cho and others 2014): z = s(Wxz x + Whz h + bz), r = s(Wxr x + Whr h + br),
/// g = tanh(Wxh x + Whh (r * h) + bh); h' = z * g + (1 - z) * h.
/// </summary>
/// <remarks>
/// <para>Its parameters are in a sub-collection <c>gru-builder</c>: for each layer Wxz {h, input}, Whz {h, h}, bz {h},
/// and so on for r and h. It keeps nothing about a graph, so graphs in any number of threads may use it at once.</para>
/// <para>Dropout is not that of the other builders, as in DyNet: a mask drawn anew at each step for the input of each
/// layer, and one for the output. The h that the next step gets is whole.</para>
/// </remarks>
public sealed class GruBuilder : RnnBuilder
{
    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="layers">The number of layers, at least 1.</param>
    /// <param name="inputDim">The size of an input.</param>
    /// <param name="hiddenDim">The size of each layer's h.</param>
    /// <remarks>
    /// Must not run beside anything else that uses the model, which is as before if this fails.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public GruBuilder(Model model, int layers, int inputDim, int hiddenDim)
        : base(layers, inputDim, hiddenDim, vectors: 1) =>
        AddLayers(model, "gru-builder", (own, input) =>
        [
            ParameterLists.Matrix(own, hiddenDim, input), ParameterLists.Matrix(own, hiddenDim, hiddenDim),
            ParameterLists.Vector(own, hiddenDim),
            ParameterLists.Matrix(own, hiddenDim, input), ParameterLists.Matrix(own, hiddenDim, hiddenDim),
            ParameterLists.Vector(own, hiddenDim),
            ParameterLists.Matrix(own, hiddenDim, input), ParameterLists.Matrix(own, hiddenDim, hiddenDim),
            ParameterLists.Vector(own, hiddenDim),
        ]);

    /// <inheritdoc/>
    private protected override int MaskKinds => 0;

    /// <inheritdoc/>
    public override void SetDropout(double rate)
    {
        ThrowIfDisposed();
        RnnRates.Check(rate, nameof(rate));
        Rates = Rates with { Input = rate };
    }

    /// <inheritdoc/>
    internal override int OutputIndex(int count) => count - 1;

    /// <inheritdoc/>
    private protected override int OwnCount(RnnRates rates) => rates.HasDropout ? 1 : 0;

    /// <inheritdoc/>
    private protected override void SetOutput(in RnnStep step) => step[step.Count - 1] = step.H(Layers - 1);

    /// <inheritdoc/>
    private protected override Expression Step(in RnnStep step, int layer, Expression x)
    {
        LayerParameters p = Of(step, layer);
        if (step.Rates.Input > 0)
            x = Ops.Dropout(x, step.Rates.Input);
        Expression h = step.H(layer);
        Expression next;
        if (step.IsFirst)
        {
            Expression z = Ops.Logistic(Ops.AffineTransform(p[2], p[0], x));
            next = Ops.CMult(z, Ops.Tanh(Ops.AffineTransform(p[8], p[6], x)));
        }
        else
        {
            Expression z = Ops.Logistic(Ops.AffineTransform(p[2], p[0], x, p[1], h));
            Expression r = Ops.Logistic(Ops.AffineTransform(p[5], p[3], x, p[4], h));
            Expression g = Ops.Tanh(Ops.AffineTransform(p[8], p[6], x, p[7], Ops.CMult(r, h)));
            next = Ops.CMult(z, g) + Ops.CMult(1 - z, h);
        }
        step.SetH(layer, next);
        return next;
    }

    /// <inheritdoc/>
    private protected override void Finish(in RnnStep step)
    {
        if (step.Rates.Input > 0)
            step[step.Count - 1] = Ops.Dropout(step.H(Layers - 1), step.Rates.Input);
    }
}
