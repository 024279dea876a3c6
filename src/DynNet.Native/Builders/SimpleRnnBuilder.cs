namespace DynNet.Native;

/// <summary>
/// Layers of the simplest recurrent network (Elman 1990): h' = tanh(Wx x + Wh h + b), where x of a layer is h' of the
/// one below.
/// </summary>
/// <remarks>
/// Its parameters are in a sub-collection <c>simple-rnn-builder</c>: for each layer Wx {h, input}, Wh {h, h}, b {h}
/// and, with lags, Wl {h, h}. It keeps nothing about a graph, so graphs in any number of threads may use it at once.
/// </remarks>
public sealed class SimpleRnnBuilder : RnnBuilder
{
    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="layers">The number of layers, at least 1.</param>
    /// <param name="inputDim">The size of an input.</param>
    /// <param name="hiddenDim">The size of each layer's h.</param>
    /// <param name="supportLags">Whether there are weights for a second input: see <see cref="AddInput"/>.</param>
    /// <remarks>
    /// Must not run beside anything else that uses the model, which is as before if this fails.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public SimpleRnnBuilder(Model model, int layers, int inputDim, int hiddenDim, bool supportLags = false)
        : base(layers, inputDim, hiddenDim, vectors: 1)
    {
        SupportsLags = supportLags;
        AddLayers(model, "simple-rnn-builder", (own, input) =>
        {
            Parameter wx = ParameterLists.Matrix(own, hiddenDim, input);
            Parameter wh = ParameterLists.Matrix(own, hiddenDim, hiddenDim);
            Parameter b = ParameterLists.Vector(own, hiddenDim);
            return supportLags ? [wx, wh, b, ParameterLists.Matrix(own, hiddenDim, hiddenDim)] : [wx, wh, b];
        });
    }

    /// <summary>Whether there are weights for a second input.</summary>
    public bool SupportsLags { get; }

    /// <inheritdoc/>
    public override void SetDropout(double rate) => SetDropout(rate, rate);

    /// <summary>Sets the dropout rates, for training. Sequences that start afterwards have them.</summary>
    /// <param name="inputRate">The rate for the inputs of each layer, 0 or more and less than 1.</param>
    /// <param name="hiddenRate">The rate for the h that each layer gets from the step before, 0 or more and less than
    /// 1.
    /// </param>
    /// <remarks>A sequence has one mask for each, the same at each step (Gal and Ghahramani 2016).</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A rate is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The builder is disposed.</exception>
    public void SetDropout(double inputRate, double hiddenRate)
    {
        ThrowIfDisposed();
        RnnRates.Check(inputRate, nameof(inputRate));
        RnnRates.Check(hiddenRate, nameof(hiddenRate));
        Rates = Rates with { Input = inputRate, Hidden = hiddenRate };
    }

    /// <summary>
    /// Takes one step with a second input, such as the output of an earlier step: h' = tanh(Wx x + Wl aux + Wh h + b)
    /// in each layer, aux the same for all. DyNet's <c>add_auxiliary_input</c>, which drops nothing; here x and h are
    /// dropped as in <see cref="RnnState.AddInput"/>, aux is not.
    /// </summary>
    /// <param name="state">The state before.</param>
    /// <param name="x">The input {input}.</param>
    /// <param name="auxiliary">The second input {h}.</param>
    /// <returns>The new state.</returns>
    /// <exception cref="ArgumentException">The state is of another builder.</exception>
    /// <exception cref="InvalidOperationException">The builder was made without lags.</exception>
    /// <exception cref="ShapeMismatchException">An input has another size.</exception>
    /// <exception cref="StaleExpressionException">The state or an input is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public RnnState AddInput(in RnnState state, Expression x, Expression auxiliary)
    {
        if (state.Builder != this)
            throw new ArgumentException("The state is of another builder.", nameof(state));
        if (!SupportsLags)
            throw new InvalidOperationException("The builder was made without lags: it has no weights for this input.");
        ThrowIfDisposed();
        ComputationGraph graph = state.Graph;
        Expression input = Checked(graph, x, InputDim, "x");
        Expression aux = Checked(graph, auxiliary, HiddenDim, "the auxiliary input");
        Interop.ExpressionList next = state.Expressions;
        next.MakeOwn();
        var step = new RnnStep(this, graph, state.Rates, state.IsFirst, next.AsSpan());
        DrawMasks(step, input.Dim.Batch);
        for (int layer = 0; layer < Layers; layer++)
        {
            LayerParameters p = Of(step, layer);
            Expression masked = step.Masked(RnnStep.InputMask, layer, input);
            input = Ops.Tanh(
                step.IsFirst
                    ? Ops.AffineTransform(p[2], p[0], masked, p[3], aux)
                    : Ops.AffineTransform(p[2], p[0], masked, p[3], aux, p[1], Recurrent(step, layer)));
            step.SetH(layer, input);
        }
        return new RnnState(this, graph, state.Rates, isFirst: false, next);
    }

    /// <inheritdoc/>
    private protected override Expression Step(in RnnStep step, int layer, Expression x)
    {
        LayerParameters p = Of(step, layer);
        x = step.Masked(RnnStep.InputMask, layer, x);
        Expression next = Ops.Tanh(
            step.IsFirst
                ? Ops.AffineTransform(p[2], p[0], x)
                : Ops.AffineTransform(p[2], p[0], x, p[1], Recurrent(step, layer)));
        step.SetH(layer, next);
        return next;
    }

    private static Expression Recurrent(in RnnStep step, int layer) =>
        step.Masked(RnnStep.HiddenMask, layer, step.H(layer));
}
