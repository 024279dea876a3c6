using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>Trees whose nodes are cells, which look at c and h of all children at once.</summary>
internal abstract class CellTreeLstmState : TreeLstmState
{
    // c and h that a node without children begins with, or none.
    private readonly Expression[] _start;

    // The masks of each layer; none for a rate of 0.
    private readonly Expression[] _inputMasks;
    private readonly Expression[] _hiddenMasks;

    private protected CellTreeLstmState(
        TreeLstmBuilder builder, ComputationGraph graph, RnnRates rates, ReadOnlySpan<Expression> values)
        : base(builder, graph)
    {
        Updates = !rates.IsConstant;
        _start = CheckedVectors(values, "a vector of the initial state");
        _inputMasks = Masks(rates.Input, layer => layer == 0 ? builder.InputDim : builder.HiddenDim);
        _hiddenMasks = Masks(rates.Hidden, _ => builder.HiddenDim);
    }

    /// <summary>Whether gradients flow into the parameters.</summary>
    private protected bool Updates { get; }

    private protected override TreeLstmNode Add(Expression x, ReadOnlySpan<TreeLstmNode> children)
    {
        int layers = Builder.Layers;
        var parts = new ExpressionList(2 * layers);
        Span<NativeExpression> made = parts.AsSpan();
        int count = children.IsEmpty && _start.Length > 0 ? 1 : children.Length;
        // c and h of each child, in turn.
        var below = new Expression[2 * count];
        for (int layer = 0; layer < layers; layer++)
        {
            if (children.IsEmpty && count == 1)
                (below[0], below[1]) = (_start[layer], _start[layers + layer]);
            for (int i = 0; i < children.Length; i++)
                (below[2 * i], below[2 * i + 1]) = (children[i].C(layer), children[i].H(layer));
            if (_hiddenMasks.Length > 0)
            {
                for (int i = 1; i < below.Length; i += 2)
                    below[i] = Ops.CMult(below[i], _hiddenMasks[layer]);
            }
            if (_inputMasks.Length > 0)
                x = Ops.CMult(x, _inputMasks[layer]);
            (Expression c, Expression h) = Cell(layer, x, below);
            made[layer] = c.Native;
            made[layers + layer] = h.Native;
            x = h;
        }
        return new TreeLstmNode(this, x, parts);
    }

    /// <summary>Parameters as operands.</summary>
    private protected LayerParameters Of(Parameter[] parameters) => new(Graph, parameters, areConstant: !Updates);

    /// <summary>Records a cell.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="x">Its input.</param>
    /// <param name="children">c and h of the first child, c and h of the second, and so on.</param>
    /// <returns>The new c and h.</returns>
    private protected abstract (Expression C, Expression H) Cell(
        int layer, Expression x, ReadOnlySpan<Expression> children);

    private Expression[] Masks(double rate, Func<int, int> size) => rate == 0
        ? []
        :
        [
            .. Enumerable.Range(0, Builder.Layers)
                .Select(layer => Ops.Dropout(Graph.Constant([size(layer)], 1), rate)),
        ];
}
