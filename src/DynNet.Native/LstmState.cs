using System.Diagnostics.CodeAnalysis;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// Where a <see cref="VanillaLstmBuilder"/> is in a sequence. A step makes a new state and leaves the old one valid, so
/// states may branch, as beam search needs it.
/// </summary>
/// <remarks>
/// A value: nothing to dispose. It is valid as long as the expressions that it consists of; then, and for
/// <c>default</c>, its members throw <see cref="StaleExpressionException"/>.
/// </remarks>
[SuppressMessage("Performance", "CA1815", Justification = "Nobody compares states; their expressions can be compared.")]
public readonly struct LstmState
{
    private readonly VanillaLstmBuilder? _builder;
    private readonly ComputationGraph? _graph;

    // c of each layer, h of each layer, then what the builder keeps for itself.
    private readonly ExpressionList _expressions;

    internal LstmState(VanillaLstmBuilder builder, ComputationGraph graph, in ExpressionList expressions)
    {
        _builder = builder;
        _graph = graph;
        _expressions = expressions;
    }

    /// <summary>The output: h {hidden} of the last layer; zeros before the first input.</summary>
    /// <exception cref="StaleExpressionException">The state is <c>default</c>.</exception>
    public Expression Output => H(Builder.Layers - 1);

    private VanillaLstmBuilder Builder =>
        _builder ?? throw new StaleExpressionException("The state is default(LstmState), which no builder has made.");

    /// <summary>The memory c {hidden} of a layer.</summary>
    /// <param name="layer">0, nearest the input, to the number of layers - 1.</param>
    /// <returns>The expression.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    /// <exception cref="StaleExpressionException">The state is <c>default</c>.</exception>
    public Expression C(int layer) => At(Check(layer));

    /// <summary>The output h {hidden} of a layer.</summary>
    /// <param name="layer">0, nearest the input, to the number of layers - 1.</param>
    /// <returns>The expression.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    /// <exception cref="StaleExpressionException">The state is <c>default</c>.</exception>
    public Expression H(int layer) => At(Builder.Layers + Check(layer));

    /// <summary>Takes one step.</summary>
    /// <param name="x">The input {input}.</param>
    /// <returns>The new state.</returns>
    /// <exception cref="ShapeMismatchException">The input has another size.</exception>
    /// <exception cref="StaleExpressionException">The state or the input is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public LstmState AddInput(Expression x) => Builder.AddInput(_graph!, _expressions, x);

    /// <summary>Takes a step for each input.</summary>
    /// <param name="xs">The inputs {input}, at least one.</param>
    /// <returns>The output after each.</returns>
    /// <exception cref="ArgumentException">There are no inputs.</exception>
    /// <exception cref="ShapeMismatchException">An input has another size.</exception>
    /// <exception cref="StaleExpressionException">The state or an input is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public IReadOnlyList<Expression> Transduce(IEnumerable<Expression> xs)
    {
        ArgumentNullException.ThrowIfNull(xs);
        var outputs = new List<Expression>();
        LstmState state = this;
        foreach (Expression x in xs)
        {
            state = state.AddInput(x);
            outputs.Add(state.Output);
        }
        return outputs.Count > 0
            ? outputs
            : throw new ArgumentException("The sequence is empty: an LSTM needs at least one input.", nameof(xs));
    }

    private Expression At(int index) => new(_graph!, _expressions.AsReadOnlySpan()[index]);

    private int Check(int layer)
    {
        int layers = Builder.Layers;
        if ((uint)layer >= (uint)layers)
        {
            throw new ArgumentOutOfRangeException(
                nameof(layer), layer, $"The builder has layers 0 to {layers - 1}.");
        }
        return layer;
    }
}
