namespace DynNet.Native;

/// <summary>Trees of a <see cref="NaryTreeLstmBuilder"/>.</summary>
internal sealed class NaryTreeLstmState : CellTreeLstmState
{
    private const int Ui = 0, Vi = 1, Uf = 2, Vf = 3, Uo = 4, Vo = 5, Uu = 6;

    private readonly int _maxChildren;
    private readonly Parameter[][] _parameters;

    // The rows of each layer's tables: once for all nodes, so that those can be computed together.
    private readonly Expression[][][] _rows;

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
        _rows = Array.ConvertAll(tables, layer => Array.ConvertAll(layer, Rows));
    }

    private protected override (Expression C, Expression H) Cell(
        int layer, Expression x, ReadOnlySpan<Expression> children)
    {
        LayerParameters p = Of(_parameters[layer]);
        Expression[][] rows = _rows[layer];
        int count = children.Length / 2;
        Expression i = Sums(p[1], p[0], x, rows[Ui], rows[Vi], 1, 0, children);
        Expression o = Sums(p[5], p[4], x, rows[Uo], rows[Vo], 1, 0, children);
        Expression u = Sums(p[7], p[6], x, rows[Uu], null, 1, 0, children);
        Expression iou = Ops.Concatenate(i, o, u);
        var operands = new Expression[1 + children.Length];
        operands[0] = iou;
        for (int k = 0; k < count; k++)
        {
            operands[1 + 2 * k] =
                Sums(p[3], p[2], x, rows[Uf], rows[Vf], _maxChildren, Math.Min(k, _maxChildren - 1), children) + 1;
            operands[2 + 2 * k] = children[2 * k];
        }
        Expression c = Ops.TreeLstmC(operands);
        return (c, Ops.TreeLstmH(iou, c));
    }

    /// <summary>b + W x + the sum over children of U h and V c.</summary>
    /// <param name="b">The bias.</param>
    /// <param name="w">W.</param>
    /// <param name="x">The input.</param>
    /// <param name="u">The rows of U.</param>
    /// <param name="v">Those of V, or null.</param>
    /// <param name="stride">How far the rows of two children are apart.</param>
    /// <param name="first">The row of the first child.</param>
    /// <param name="children">c and h of each child.</param>
    private Expression Sums(
        Expression b,
        Expression w,
        Expression x,
        Expression[] u,
        Expression[]? v,
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
            operands[next++] = u[row];
            operands[next++] = children[2 * j + 1];
            if (v is null)
                continue;
            operands[next++] = v[row];
            operands[next++] = children[2 * j];
        }
        return Ops.AffineTransform(operands);
    }

    private Expression[] Rows(LookupParameter table)
    {
        var rows = new Expression[table.Rows];
        for (int i = 0; i < rows.Length; i++)
            rows[i] = Updates ? Graph.Lookup(table, i) : Graph.ConstLookup(table, i);
        return rows;
    }
}
