namespace DynNet.Native;

/// <summary>
/// A TreeLSTM for nodes with up to N children in an order (Tai, Socher and Manning 2015, section 3.2), in which gates
/// look at the children's memories too: i = s(Wi x + sum over children j of Ui_j h_j + Vi_j c_j, + bi), o likewise, u =
/// tanh(Wu x + sum of Uu_j h_j, + bu), and for each child k f_k = s(Wf x + sum of Uf_jk h_j + Vf_jk c_j, + bf + 1); c =
/// i * u + sum of f_k * c_k; h = o * tanh(c).
/// </summary>
/// <remarks>
/// Its parameters are in a sub-collection <c>nary-tree-lstm-builder</c>: for each layer Wi {h, input}, tables Ui and Vi
/// of N rows {h, h}, bi {h}; the same for f, with N * N rows, that of j and k at N j + k; the same for o; and for u
/// without V. Children beyond the N-th have the N-th's weights.
/// </remarks>
public sealed class NaryTreeLstmBuilder : TreeLstmBuilder
{
    // The largest N whose N * N rows can be counted.
    private const int MostChildren = 46_340;

    private readonly Parameter[][] _parameters;
    private readonly LookupParameter[][] _tables;

    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="children">N: how many children have weights of their own, 1 to 46340.</param>
    /// <param name="layers">The number of layers, at least 1.</param>
    /// <param name="inputDim">The size of an input.</param>
    /// <param name="hiddenDim">The size of each layer's c and h.</param>
    /// <remarks>
    /// Must not run beside anything else that uses the model, which is as before if this fails.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public NaryTreeLstmBuilder(Model model, int children, int layers, int inputDim, int hiddenDim)
        : base(layers, inputDim, hiddenDim)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (children is < 1 or > MostChildren)
        {
            throw new ArgumentOutOfRangeException(
                nameof(children), children, $"{children} children: 1 to {MostChildren}.");
        }
        MaxChildren = children;
        int pairs = children * children;
        (Parameter[] Parameters, LookupParameter[] Tables)[] made = model.AllOrNothing(() =>
        {
            using Model own = model.AddSubcollection("nary-tree-lstm-builder");
            return Enumerable.Range(0, layers).Select(i => AddLayer(own, i == 0 ? inputDim : hiddenDim)).ToArray();
        });
        _parameters = [.. made.Select(layer => layer.Parameters)];
        _tables = [.. made.Select(layer => layer.Tables)];
        Parameters = ParameterLists.AsReadOnly(_parameters);
        Tables = ParameterLists.AsReadOnly(_tables);

        (Parameter[], LookupParameter[]) AddLayer(Model own, int input)
        {
            Parameter wi = Matrix();
            LookupParameter ui = Table(children), vi = Table(children);
            Parameter bi = Bias(), wf = Matrix();
            LookupParameter uf = Table(pairs), vf = Table(pairs);
            Parameter bf = Bias(), wo = Matrix();
            LookupParameter uo = Table(children), vo = Table(children);
            Parameter bo = Bias(), wu = Matrix();
            LookupParameter uu = Table(children);
            return ([wi, bi, wf, bf, wo, bo, wu, Bias()], [ui, vi, uf, vf, uo, vo, uu]);

            Parameter Matrix() => ParameterLists.Matrix(own, hiddenDim, input);

            Parameter Bias() => ParameterLists.Vector(own, hiddenDim);

            LookupParameter Table(int rows) => own.AddLookupParameters(rows, [hiddenDim, hiddenDim]);
        }
    }

    /// <summary>N: how many children have weights of their own.</summary>
    public int MaxChildren { get; }

    /// <summary>W and b of i, f, o and u for each layer.</summary>
    public override IReadOnlyList<IReadOnlyList<Parameter>> Parameters { get; }

    /// <summary>The tables Ui, Vi, Uf, Vf, Uo, Vo and Uu for each layer.</summary>
    public IReadOnlyList<IReadOnlyList<LookupParameter>> Tables { get; }

    /// <inheritdoc/>
    private protected override TreeLstmState Start(
        ComputationGraph graph, RnnRates rates, ReadOnlySpan<Expression> values) =>
        new NaryTreeLstmState(this, graph, rates, values, _parameters, _tables);

    /// <inheritdoc/>
    private protected override IEnumerable<LookupParameter> AllTables() => _tables.SelectMany(layer => layer);
}
