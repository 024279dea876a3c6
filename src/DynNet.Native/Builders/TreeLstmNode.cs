using System.Diagnostics.CodeAnalysis;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>A node of a tree that a <see cref="TreeLstmBuilder"/> reads.</summary>
/// <remarks>
/// A value: nothing to dispose. It is valid as long as the expressions that it consists of; <c>default</c> is an error
/// everywhere.
/// </remarks>
[SuppressMessage("Performance", "CA1815", Justification = "Nobody compares nodes; their expressions can be compared.")]
public readonly struct TreeLstmNode
{
    private readonly TreeLstmState? _state;
    private readonly NativeExpression _output;

    // c of each layer, then h of each layer; none where these are two networks'.
    private readonly ExpressionList _parts;

    internal TreeLstmNode(TreeLstmState state, Expression output, in ExpressionList parts)
    {
        _state = state;
        _output = output.Native;
        _parts = parts;
    }

    /// <summary>The output {hidden}.</summary>
    /// <exception cref="StaleExpressionException">The node is <c>default</c>.</exception>
    public Expression Output => new(State.Graph, _output);

    internal TreeLstmBuilder Builder => State.Builder;

    private TreeLstmState State => _state
        ?? throw new StaleExpressionException("The node is default(TreeLstmNode), which no builder has made.");

    /// <summary>The memory c {hidden} of a layer.</summary>
    /// <param name="layer">0, nearest the input, to the number of layers - 1.</param>
    /// <returns>The expression.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    /// <exception cref="InvalidOperationException">The builder is bidirectional: it has two for each layer.</exception>
    /// <exception cref="StaleExpressionException">The node is <c>default</c>.</exception>
    public Expression C(int layer) => At(layer, 0);

    /// <summary>The h {hidden} of a layer.</summary>
    /// <param name="layer">0, nearest the input, to the number of layers - 1.</param>
    /// <returns>The expression.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    /// <exception cref="InvalidOperationException">The builder is bidirectional: it has two for each layer.</exception>
    /// <exception cref="StaleExpressionException">The node is <c>default</c>.</exception>
    public Expression H(int layer) => At(layer, Builder.Layers);

    private Expression At(int layer, int first)
    {
        int layers = Builder.Layers;
        if ((uint)layer >= (uint)layers)
            throw new ArgumentOutOfRangeException(nameof(layer), layer, $"The builder has layers 0 to {layers - 1}.");
        return _parts.Count > 0
            ? new(State.Graph, _parts.AsReadOnlySpan()[first + layer])
            : throw new InvalidOperationException("A bidirectional builder has two of each for a layer: read Output.");
    }
}
