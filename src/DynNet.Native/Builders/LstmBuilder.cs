namespace DynNet.Native;

/// <summary>
/// A builder of layers of long short-term memory, of whatever form: each layer has a memory c beside its h.
/// </summary>
/// <remarks>What DyNet calls <c>LSTMBuilder</c> is <see cref="VanillaLstmBuilder"/>.</remarks>
public abstract class LstmBuilder : RnnBuilder
{
    private protected LstmBuilder(int layers, int inputDim, int hiddenDim)
        : base(layers, inputDim, hiddenDim, vectors: 2)
    {
    }

    /// <summary>Starts a sequence: c and h of each layer are zeros.</summary>
    /// <param name="graph">The graph that the sequence is recorded in.</param>
    /// <returns>The state before the first input.</returns>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public new LstmState InitialState(ComputationGraph graph) => new(base.InitialState(graph));

    /// <summary>Starts a sequence from given values, such as the last state of an encoder.</summary>
    /// <param name="graph">The graph that the sequence is recorded in.</param>
    /// <param name="values">c {hidden} of each layer, then h {hidden} of each layer; or none, for zeros.</param>
    /// <returns>The state before the first input.</returns>
    /// <exception cref="ArgumentException">The number of values is not 0 or twice the number of layers.</exception>
    /// <exception cref="ShapeMismatchException">A value has another size.</exception>
    /// <exception cref="StaleExpressionException">A value is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public new LstmState InitialState(ComputationGraph graph, params ReadOnlySpan<Expression> values) =>
        new(base.InitialState(graph, values));

    /// <summary>Starts a sequence whose gradients may be kept from the parameters.</summary>
    /// <param name="graph">The graph that the sequence is recorded in.</param>
    /// <param name="update">Whether gradients flow into the builder's parameters; otherwise they are constants.</param>
    /// <param name="values">c {hidden} of each layer, then h {hidden} of each layer; or none, for zeros.</param>
    /// <returns>The state before the first input.</returns>
    /// <exception cref="ArgumentException">The number of values is not 0 or twice the number of layers.</exception>
    /// <exception cref="ShapeMismatchException">A value has another size.</exception>
    /// <exception cref="StaleExpressionException">A value is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public new LstmState InitialState(
        ComputationGraph graph, bool update, params ReadOnlySpan<Expression> values) =>
        new(base.InitialState(graph, update, values));

    /// <inheritdoc/>
    public override void SetDropout(double rate) => SetDropout(rate, rate);

    /// <summary>
    /// Sets the dropout rates, for training: with the same mask at each step of a sequence (Gal and Ghahramani 2016),
    /// which is drawn at its first input. Sequences that start afterwards have them.
    /// </summary>
    /// <param name="inputRate">The rate for the inputs of each layer, 0 or more and less than 1.</param>
    /// <param name="hiddenRate">The rate for the h that each layer gets from the step before, 0 or more and less than
    /// 1.
    /// </param>
    /// <remarks>Must not run beside a thread that starts a sequence.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A rate is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The builder is disposed.</exception>
    public virtual void SetDropout(double inputRate, double hiddenRate)
    {
        ThrowIfDisposed();
        RnnRates.Check(inputRate, nameof(inputRate));
        RnnRates.Check(hiddenRate, nameof(hiddenRate));
        Rates = Rates with { Input = inputRate, Hidden = hiddenRate };
    }
}
