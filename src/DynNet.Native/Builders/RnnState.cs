using System.Diagnostics.CodeAnalysis;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// Where an <see cref="RnnBuilder"/> is in a sequence. A step makes a new state and leaves the old one valid, so states
/// may branch, as beam search needs it.
/// </summary>
/// <remarks>
/// A value: nothing to dispose. It is valid as long as the expressions that it consists of; then, and for
/// <c>default</c>, its members throw <see cref="StaleExpressionException"/>.
/// </remarks>
[SuppressMessage("Performance", "CA1815", Justification = "Nobody compares states; their expressions can be compared.")]
public readonly struct RnnState
{
    private readonly RnnBuilder? _builder;
    private readonly ComputationGraph? _graph;
    private readonly RnnRates? _rates;
    private readonly bool _isFirst;

    // The vectors of the state, masks, then what the builder keeps for itself.
    private readonly ExpressionList _expressions;

    internal RnnState(
        RnnBuilder builder, ComputationGraph graph, RnnRates rates, bool isFirst, in ExpressionList expressions)
    {
        _builder = builder;
        _graph = graph;
        _rates = rates;
        _isFirst = isFirst;
        _expressions = expressions;
    }

    /// <summary>The output of the latest step, in most builders h {hidden} of the last layer; zeros before the first
    /// input, if no values were given.</summary>
    /// <exception cref="StaleExpressionException">The state is <c>default</c>.</exception>
    public Expression Output => At(Builder.OutputIndex(_expressions.Count));

    /// <summary>The number of vectors that the state consists of: <see cref="RnnBuilder.StateCount"/>.</summary>
    /// <exception cref="StaleExpressionException">The state is <c>default</c>.</exception>
    public int Count => Builder.StateCount;

    internal RnnBuilder Builder =>
        _builder ?? throw new StaleExpressionException("The state is default, which no builder has made.");

    internal ComputationGraph Graph => _graph!;

    internal RnnRates Rates => _rates!;

    internal bool IsFirst => _isFirst;

    [UnscopedRef]
    internal ref readonly ExpressionList Expressions => ref _expressions;

    /// <summary>The h {hidden} of a layer.</summary>
    /// <param name="layer">0, nearest the input, to the number of layers - 1.</param>
    /// <returns>The expression.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    /// <exception cref="StaleExpressionException">The state is <c>default</c>.</exception>
    public Expression H(int layer) => At(Builder.StateCount - Builder.Layers + Check(layer));

    /// <summary>A vector {hidden} of the state, in the order in which <see
    /// cref="RnnBuilder.InitialState(ComputationGraph, ReadOnlySpan{Expression})"/> takes them.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    /// <returns>The expression.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such vector.</exception>
    /// <exception cref="StaleExpressionException">The state is <c>default</c>.</exception>
    public Expression S(int index)
    {
        if ((uint)index >= (uint)Count)
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The state has vectors 0 to {Count - 1}.");
        return At(index);
    }

    /// <summary>Takes one step.</summary>
    /// <param name="x">The input {input}.</param>
    /// <returns>The new state.</returns>
    /// <exception cref="ShapeMismatchException">The input has another size.</exception>
    /// <exception cref="StaleExpressionException">The state or the input is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public RnnState AddInput(Expression x) => Builder.AddInput(_graph!, _rates!, _isFirst, _expressions, x);

    /// <summary>The state with another h; all else stays.</summary>
    /// <param name="values">h {hidden} of each layer.</param>
    /// <returns>The new state.</returns>
    /// <exception cref="ArgumentException">The number of values is not that of the layers.</exception>
    /// <exception cref="ShapeMismatchException">A value has another size.</exception>
    /// <exception cref="StaleExpressionException">A value is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public RnnState SetH(params ReadOnlySpan<Expression> values)
    {
        int layers = Builder.Layers;
        if (values.Length != layers)
            throw new ArgumentException($"{values.Length} values for h of {layers} layers.", nameof(values));
        return Builder.Replace(_graph!, _rates!, _expressions, Builder.StateCount - layers, values);
    }

    /// <summary>The state with other vectors.</summary>
    /// <param name="values">
    /// All vectors {hidden} in the order of <see cref="S"/>; or as many as there are layers, the first of them: in an
    /// LSTM c of each layer, and h stays.
    /// </param>
    /// <returns>The new state.</returns>
    /// <exception cref="ArgumentException">The number of values is another.</exception>
    /// <exception cref="ShapeMismatchException">A value has another size.</exception>
    /// <exception cref="StaleExpressionException">A value is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public RnnState SetS(params ReadOnlySpan<Expression> values)
    {
        if (values.Length != Builder.Layers && values.Length != Count)
        {
            throw new ArgumentException(
                $"{values.Length} values for a state of {Count} vectors in {Builder.Layers} layers.", nameof(values));
        }
        return Builder.Replace(_graph!, _rates!, _expressions, 0, values);
    }

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
        RnnState state = this;
        foreach (Expression x in xs)
        {
            state = state.AddInput(x);
            outputs.Add(state.Output);
        }
        return outputs.Count > 0
            ? outputs.AsReadOnly()
            : throw new ArgumentException(
                "The sequence is empty: a recurrent network needs at least one input.", nameof(xs));
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
