namespace DynNet.Native;

/// <summary>
/// Layers of long short-term memory whose input and forget gates are coupled: i = s(Wxi x + Whi h + bi),
/// g = tanh(Wxc x + Whc h + bc), o = s(Wxo x + Who h + bo); c' = i * g + (1 - i) * c; h' = o * tanh(c'). With peepholes
/// wci * c is added in i and wco * c' in o.
/// </summary>
/// <remarks>
/// <para>Its parameters are in a sub-collection <c>fast-lstm-builder</c>: for each layer Wxi {h, input}, Whi {h, h},
/// wci {h}, bi {h}, the same for o, and Wxc, Whc and bc. It keeps nothing about a graph, so graphs in any number of
/// threads may use it at once.</para>
/// <para>DyNet describes the peepholes and makes their parameters, but computes without them: a model that it trained
/// needs a builder without, and has the peepholes' first random values in its file.</para>
/// </remarks>
public sealed class FastLstmBuilder : LstmBuilder
{
    private readonly CoupledLstmCell.Peephole _peephole;

    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="layers">The number of layers, at least 1.</param>
    /// <param name="inputDim">The size of an input.</param>
    /// <param name="hiddenDim">The size of each layer's c and h.</param>
    /// <param name="peepholes">Whether gates look at the memory. The parameters are the same either way.</param>
    /// <remarks>
    /// Must not run beside anything else that uses the model, which is as before if this fails.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public FastLstmBuilder(Model model, int layers, int inputDim, int hiddenDim, bool peepholes = false)
        : base(layers, inputDim, hiddenDim)
    {
        _peephole = peepholes ? CoupledLstmCell.Peephole.Diagonal : CoupledLstmCell.Peephole.None;
        AddLayers(
            model,
            "fast-lstm-builder",
            (own, input) => CoupledLstmCell.AddParameters(own, input, hiddenDim, diagonal: true));
    }

    /// <summary>Whether gates look at the memory.</summary>
    public bool HasPeepholes => _peephole != CoupledLstmCell.Peephole.None;

    /// <inheritdoc/>
    private protected override Expression Step(in RnnStep step, int layer, Expression x) =>
        CoupledLstmCell.Record(step, layer, x, Of(step, layer), _peephole, firstOutputLooks: true);
}
