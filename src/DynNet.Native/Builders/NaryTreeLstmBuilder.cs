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
    private readonly Parameter[][] _parameters;
    private readonly LookupParameter[][] _tables;

    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="children">N: how many children have weights of their own, at least 1.</param>
    /// <param name="layers">The number of layers, at least 1.</param>
    /// <param name="inputDim">The size of an input.</param>
    /// <param name="hiddenDim">The size of each layer's c and h.</param>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentException">A number is less than 1.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public NaryTreeLstmBuilder(Model model, int children, int layers, int inputDim, int hiddenDim)
        : base(layers, inputDim, hiddenDim)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (children < 1)
            throw new ArgumentException($"{children} children: there must be at least 1.", nameof(children));
        MaxChildren = children;
        using Model own = model.AddSubcollection("nary-tree-lstm-builder");
        _parameters = new Parameter[layers][];
        _tables = new LookupParameter[layers][];
        for (int i = 0; i < layers; i++)
        {
            int input = i == 0 ? inputDim : hiddenDim;
            Parameter wi = Matrix(input);
            LookupParameter ui = Table(children), vi = Table(children);
            Parameter bi = Bias(), wf = Matrix(input);
            LookupParameter uf = Table(checked(children * children)), vf = Table(children * children);
            Parameter bf = Bias(), wo = Matrix(input);
            LookupParameter uo = Table(children), vo = Table(children);
            Parameter bo = Bias(), wu = Matrix(input);
            LookupParameter uu = Table(children);
            Parameter bu = Bias();
            _parameters[i] = [wi, bi, wf, bf, wo, bo, wu, bu];
            _tables[i] = [ui, vi, uf, vf, uo, vo, uu];
        }
        Parameters = ParameterLists.AsReadOnly(_parameters);
        Tables = ParameterLists.AsReadOnly(_tables);

        Parameter Matrix(int columns) => ParameterLists.Matrix(own, hiddenDim, columns);

        Parameter Bias() => ParameterLists.Vector(own, hiddenDim);

        LookupParameter Table(int rows) => own.AddLookupParameters(rows, [hiddenDim, hiddenDim]);
    }

    /// <summary>N: how many children have weights of their own.</summary>
    public int MaxChildren { get; }

    /// <summary>W and b of i, f, o and u for each layer.</summary>
    public override IReadOnlyList<IReadOnlyList<Parameter>> Parameters { get; }

    /// <summary>The tables Ui, Vi, Uf, Vf, Uo, Vo and Uu for each layer.</summary>
    public IReadOnlyList<IReadOnlyList<LookupParameter>> Tables { get; }

    /// <summary>Gives this builder's parameters the values of another's.</summary>
    /// <param name="other">A builder with the same sizes.</param>
    /// <remarks>Must not run beside anything else that uses the models.</remarks>
    /// <exception cref="ArgumentException">The other's parameters have other shapes.</exception>
    /// <exception cref="ObjectDisposedException">A model is disposed.</exception>
    public void CopyFrom(NaryTreeLstmBuilder other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.MaxChildren != MaxChildren)
        {
            throw new ArgumentException(
                $"The other is for {other.MaxChildren} children, this for {MaxChildren}.", nameof(other));
        }
        ParameterLists.Copy(
            [.. other._parameters.SelectMany(layer => layer)], [.. _parameters.SelectMany(layer => layer)]);
        foreach ((LookupParameter from, LookupParameter to) in
            other._tables.SelectMany(layer => layer).Zip(_tables.SelectMany(layer => layer)))
        {
            for (int row = 0; row < to.Rows; row++)
                to.SetRow(row, from.Row(row));
        }
    }

    /// <inheritdoc/>
    private protected override TreeLstmState Start(
        ComputationGraph graph, bool update, ReadOnlySpan<Expression> values) =>
        new NaryTreeLstmState(this, graph, update, values, _parameters, _tables);
}
