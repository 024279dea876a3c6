namespace DynNet.Native;

/// <summary>Trees of a <see cref="NaryTreeLstmBuilder"/>.</summary>
internal sealed class NaryTreeLstmState : CellTreeLstmState
{
    private const int Ui = 0, Vi = 1, Uf = 2, Vf = 3, Uo = 4, Vo = 5, Uu = 6;

    private readonly int _maxChildren;
    private readonly Parameter[][] _parameters;

    private readonly LookupParameter[][] _tables;

    // The rows of each layer's tables that a node has needed: once for all nodes, so that those can be computed together.
    private readonly Expression[]?[][] _rows;
    private long _reverts;

    internal NaryTreeLstmState(
        NaryTreeLstmBuilder builder,
        ComputationGraph graph,
        RnnRates rates,
        ReadOnlySpan<Expression> values,
        Parameter[][] parameters,
        LookupParameter[][] tables)
        : base(builder, graph, rates, values)
    {
        _maxChildren = builder.MaxChildren;
        _parameters = parameters;
        _tables = tables;
        _rows = Array.ConvertAll(tables, layer => new Expression[]?[layer.Length]);
        _reverts = graph.Reverts;
    }

    private protected override (Expression C, Expression H) Cell(
        int layer, Expression x, ReadOnlySpan<Expression> children)
    {
        ForgetReverted();
        LayerParameters p = Of(_parameters[layer]);
        int count = children.Length / 2;
        Expression i = Sums(p[1], p[0], x, layer, Ui, Vi, 1, 0, children);
        Expression o = Sums(p[5], p[4], x, layer, Uo, Vo, 1, 0, children);
        Expression u = Sums(p[7], p[6], x, layer, Uu, null, 1, 0, children);
        Expression iou = Ops.Concatenate(i, o, u);
        var operands = new Expression[1 + children.Length];
        operands[0] = iou;
        for (int k = 0; k < count; k++)
        {
            operands[1 + 2 * k] =
                Sums(p[3], p[2], x, layer, Uf, Vf, _maxChildren, Math.Min(k, _maxChildren - 1), children) + 1;
            operands[2 + 2 * k] = children[2 * k];
        }
        Expression c = Ops.TreeLstmC(operands);
        return (c, Ops.TreeLstmH(iou, c));
    }

    /// <summary>b + W x + the sum over children of U h and V c.</summary>
    /// <param name="b">The bias.</param>
    /// <param name="w">W.</param>
    /// <param name="x">The input.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="u">Which of its tables is U.</param>
    /// <param name="v">Which is V; null for none.</param>
    /// <param name="stride">How far the rows of two children are apart.</param>
    /// <param name="first">The row of the first child.</param>
    /// <param name="children">c and h of each child.</param>
    private Expression Sums(
        Expression b,
        Expression w,
        Expression x,
        int layer,
        int u,
        int? v,
        int stride,
        int first,
        ReadOnlySpan<Expression> children)
    {
        int count = children.Length / 2;
        var operands = new Expression[3 + (v is null ? 2 : 4) * count];
        (operands[0], operands[1], operands[2]) = (b, w, x);
        int next = 3;
        for (int j = 0; j < count; j++)
        {
            int row = first + stride * Math.Min(j, _maxChildren - 1);
            operands[next++] = Row(layer, u, row);
            operands[next++] = children[2 * j + 1];
            if (v is not { } look)
                continue;
            operands[next++] = Row(layer, look, row);
            operands[next++] = children[2 * j];
        }
        return Ops.AffineTransform(operands);
    }

    private Expression Row(int layer, int which, int row)
    {
        LookupParameter table = _tables[layer][which];
        Expression[] rows = _rows[layer][which] ??= new Expression[table.Rows];
        if (rows[row].Owner is null)
            rows[row] = Updates ? Graph.Lookup(table, row) : Graph.ConstLookup(table, row);
        return rows[row];
    }

    // Rows may have been recorded after the state was made, in a part that a revert has taken back.
    private void ForgetReverted()
    {
        if (_reverts == Graph.Reverts)
            return;
        foreach (Expression[]?[] layer in _rows)
            Array.Clear(layer);
        _reverts = Graph.Reverts;
    }
}
