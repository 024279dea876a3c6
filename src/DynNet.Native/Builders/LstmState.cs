using System.Diagnostics.CodeAnalysis;

namespace DynNet.Native;

/// <summary>
/// Where an <see cref="LstmBuilder"/> is in a sequence: an <see cref="RnnState"/> that has a memory. A step makes a new
/// state and leaves the old one valid, so states may branch, as beam search needs it.
/// </summary>
/// <remarks>
/// A value: nothing to dispose. It is valid as long as the expressions that it consists of; then, and for
/// <c>default</c>, its members throw <see cref="StaleExpressionException"/>.
/// </remarks>
[SuppressMessage("Performance", "CA1815", Justification = "Nobody compares states; their expressions can be compared.")]
public readonly struct LstmState
{
    // c of each layer, h of each layer, then what the builder keeps for itself.
    private readonly RnnState _state;

    internal LstmState(in RnnState state) => _state = state;

    /// <summary>The output, in most builders h {hidden} of the last layer; zeros before the first input, if no values
    /// were given.</summary>
    /// <exception cref="StaleExpressionException">The state is <c>default</c>.</exception>
    public Expression Output => _state.Output;

    /// <summary>The same state, for code that takes any builder's.</summary>
    /// <param name="state">The state.</param>
    public static implicit operator RnnState(in LstmState state) => state.ToRnnState();

    /// <summary>The same state, for code that takes any builder's.</summary>
    /// <returns>The state.</returns>
    public RnnState ToRnnState() => _state;

    /// <summary>The memory c {hidden} of a layer.</summary>
    /// <param name="layer">0, nearest the input, to the number of layers - 1.</param>
    /// <returns>The expression.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    /// <exception cref="StaleExpressionException">The state is <c>default</c>.</exception>
    public Expression C(int layer)
    {
        int layers = _state.Builder.Layers;
        if ((uint)layer >= (uint)layers)
        {
            throw new ArgumentOutOfRangeException(
                nameof(layer), layer, $"The builder has layers 0 to {layers - 1}.");
        }
        return _state.S(layer);
    }

    /// <inheritdoc cref="RnnState.H"/>
    public Expression H(int layer) => _state.H(layer);

    /// <summary>A vector {hidden} of the state: c of each layer, then h of each layer.</summary>
    /// <param name="index">0 to twice the number of layers - 1.</param>
    /// <returns>The expression.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such vector.</exception>
    /// <exception cref="StaleExpressionException">The state is <c>default</c>.</exception>
    public Expression S(int index) => _state.S(index);

    /// <inheritdoc cref="RnnState.AddInput"/>
    public LstmState AddInput(Expression x) => new(_state.AddInput(x));

    /// <inheritdoc cref="RnnState.SetH"/>
    public LstmState SetH(params ReadOnlySpan<Expression> values) => new(_state.SetH(values));

    /// <summary>The state with another c, or with another c and h.</summary>
    /// <param name="values">c {hidden} of each layer; and h {hidden} of each layer, without which h stays.</param>
    /// <returns>The new state.</returns>
    /// <exception cref="ArgumentException">The number of values is another.</exception>
    /// <exception cref="ShapeMismatchException">A value has another size.</exception>
    /// <exception cref="StaleExpressionException">A value is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public LstmState SetS(params ReadOnlySpan<Expression> values) => new(_state.SetS(values));

    /// <inheritdoc cref="RnnState.Transduce"/>
    public IReadOnlyList<Expression> Transduce(IEnumerable<Expression> xs) => _state.Transduce(xs);
}
