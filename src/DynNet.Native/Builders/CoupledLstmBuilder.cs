namespace DynNet.Native;

/// <summary>
/// Layers of long short-term memory whose input and forget gates are coupled and whose gates look at the memory:
/// i = s(Wxi x + Whi h + Wci c + bi), g = tanh(Wxc x + Whc h + bc); c' = i * g + (1 - i) * c;
/// o = s(Wxo x + Who h + Wco c' + bo); h' = o * tanh(c').
/// </summary>
/// <remarks>
/// Its parameters are in a sub-collection <c>lstm-builder</c>: for each layer Wxi {h, input}, Whi {h, h}, Wci {h, h},
/// bi {h}, the same for o, and Wxc, Whc and bc. It keeps nothing about a graph, so graphs in any number of threads may
/// use it at once.
/// </remarks>
public sealed class CoupledLstmBuilder : LstmBuilder
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
    public CoupledLstmBuilder(Model model, int layers, int inputDim, int hiddenDim)
        : base(layers, inputDim, hiddenDim) =>
        AddLayers(
            model,
            "lstm-builder",
            (own, input) => CoupledLstmCell.AddParameters(own, input, hiddenDim, diagonal: false));

    /// <inheritdoc/>
    private protected override int MaskKinds => 3;

    /// <summary>
    /// The dropout rate for c where gates look at it that a sequence has if it starts now; 0 without dropout.
    /// </summary>
    public double MemoryDropout => Rates.Memory;

    /// <summary>Sets one dropout rate for inputs, recurrent values and the memory that gates look at.</summary>
    /// <param name="rate">0 or more, less than 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The builder is disposed.</exception>
    public override void SetDropout(double rate) => SetDropout(rate, rate, rate);

    /// <summary>
    /// Sets the dropout rates, for training: with the same mask at each step of a sequence (Gal and Ghahramani 2016),
    /// which is drawn at its first input. Sequences that start afterwards have them.
    /// </summary>
    /// <param name="inputRate">The rate for the inputs of each layer.</param>
    /// <param name="hiddenRate">The rate for the h that each layer gets from the step before.</param>
    /// <param name="memoryRate">
    /// The rate for c and c' where gates look at them. What goes into the next c is whole.
    /// </param>
    /// <remarks>All are 0 or more, less than 1. Must not run beside a thread that starts a sequence.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A rate is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The builder is disposed.</exception>
    public void SetDropout(double inputRate, double hiddenRate, double memoryRate)
    {
        ThrowIfDisposed();
        RnnRates.Check(inputRate, nameof(inputRate));
        RnnRates.Check(hiddenRate, nameof(hiddenRate));
        RnnRates.Check(memoryRate, nameof(memoryRate));
        Rates = Rates with { Input = inputRate, Hidden = hiddenRate, Memory = memoryRate };
    }

    /// <inheritdoc/>
    /// <remarks>The memory that gates look at is whole. Must not run beside a thread that starts a sequence.</remarks>
    public override void SetDropout(double inputRate, double hiddenRate) => SetDropout(inputRate, hiddenRate, 0);

    /// <inheritdoc/>
    private protected override Expression Step(in RnnStep step, int layer, Expression x) =>
        CoupledLstmCell.Record(step, layer, x, Of(step, layer), CoupledLstmCell.Peephole.Full, firstOutputLooks: true);
}
