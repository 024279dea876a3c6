namespace DynNet.Native;

/// <summary>
/// A TreeLSTM for nodes with any number of children, whose order makes no difference (Tai, Socher and Manning 2015,
/// section 3.1): from x and the sum of the children's h the gates i and o and the candidate u; for each child k
/// f_k = s(Wf x + Uf h_k + bf); c = s(i) * tanh(u) + sum of f_k * c_k; h = s(o) * tanh(c).
/// </summary>
/// <remarks>
/// DyNet has none. Its parameters are in a sub-collection <c>child-sum-tree-lstm-builder</c>: for each layer W {3h,
/// input}, U {3h, h} and b {3h} of i, o and u, then Wf {h, input}, Uf {h, h} and bf {h}.
/// </remarks>
public sealed class ChildSumTreeLstmBuilder : TreeLstmBuilder
{
    private readonly Parameter[][] _parameters;

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
    public ChildSumTreeLstmBuilder(Model model, int layers, int inputDim, int hiddenDim)
        : base(layers, inputDim, hiddenDim)
    {
        ArgumentNullException.ThrowIfNull(model);
        int rows = ParameterLists.Rows(3, hiddenDim);
        _parameters = model.AllOrNothing(() =>
        {
            using Model own = model.AddSubcollection("child-sum-tree-lstm-builder");
            return Enumerable.Range(0, layers).Select(i => AddLayer(own, i == 0 ? inputDim : hiddenDim)).ToArray();
        });
        Parameters = ParameterLists.AsReadOnly(_parameters);

        Parameter[] AddLayer(Model own, int input) =>
        [
            ParameterLists.Matrix(own, rows, input), ParameterLists.Matrix(own, rows, hiddenDim),
            ParameterLists.Vector(own, rows), ParameterLists.Matrix(own, hiddenDim, input),
            ParameterLists.Matrix(own, hiddenDim, hiddenDim), ParameterLists.Vector(own, hiddenDim),
        ];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<IReadOnlyList<Parameter>> Parameters { get; }

    /// <inheritdoc/>
    private protected override TreeLstmState Start(
        ComputationGraph graph, RnnRates rates, ReadOnlySpan<Expression> values) =>
        new State(this, graph, rates, values);

    private sealed class State(
        ChildSumTreeLstmBuilder builder, ComputationGraph graph, RnnRates rates, ReadOnlySpan<Expression> values)
        : CellTreeLstmState(builder, graph, rates, values)
    {
        private readonly Parameter[][] _parameters = builder._parameters;

        private protected override (Expression C, Expression H) Cell(
            int layer, Expression x, ReadOnlySpan<Expression> children)
        {
            LayerParameters p = Of(_parameters[layer]);
            var operands = new Expression[1 + children.Length];
            var hs = new Expression[children.Length / 2];
            for (int k = 0; k < hs.Length; k++)
            {
                hs[k] = children[2 * k + 1];
                operands[1 + 2 * k] = Ops.AffineTransform(p[5], p[3], x, p[4], hs[k]);
                operands[2 + 2 * k] = children[2 * k];
            }
            Expression iou = hs.Length switch
            {
                0 => Ops.AffineTransform(p[2], p[0], x),
                1 => Ops.AffineTransform(p[2], p[0], x, p[1], hs[0]),
                _ => Ops.AffineTransform(p[2], p[0], x, p[1], Ops.Sum(hs)),
            };
            operands[0] = iou;
            Expression c = Ops.TreeLstmC(operands);
            return (c, Ops.TreeLstmH(iou, c));
        }
    }
}
