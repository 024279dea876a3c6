namespace DynNet.Native;

/// <summary>
/// Layers of long short-term memory as by <see cref="VanillaLstmBuilder"/>, in which the weights of least magnitude are
/// masked (Narang and others 2017): <see cref="SetSparsity"/>, called with growing shares while it is trained.
/// </summary>
/// <remarks>
/// Its parameters are in a sub-collection <c>vanilla-lstm-builder</c>: for each layer Wx {4h, input}, Wh {4h, h}, the
/// mask of each, of ones at first, and b {4h}; those of layer normalization as in <see cref="VanillaLstmBuilder"/>. No
/// gradient flows into masks, nor into what they mask. It keeps nothing about a graph, so graphs in any number of
/// threads may use it at once; a sequence multiplies the weights by their masks at its start. Masks are frozen (<see
/// cref="Parameter.IsUpdated"/>), so that no trainer's decay shrinks them; <see cref="Model.SetUpdated"/> thaws them too,
/// and <see cref="SetSparsity"/> freezes them again. A moving average over a change of the share has fractions of them.
/// </remarks>
public sealed class SparseLstmBuilder : LstmBuilder
{
    private readonly VanillaLstmForm _form;
    private readonly Parameter[][] _normalization = [];

    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="layers">The number of layers, at least 1.</param>
    /// <param name="inputDim">The size of an input.</param>
    /// <param name="hiddenDim">The size of each layer's c and h; with layer normalization at least 2.</param>
    /// <param name="layerNorm">Whether there is layer normalization.</param>
    /// <param name="forgetBias">What is added in the forget gate, beside the trained bias.</param>
    /// <remarks>
    /// Must not run beside anything else that uses the model, which is as before if this fails.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than it must be, or not finite.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public SparseLstmBuilder(
        Model model, int layers, int inputDim, int hiddenDim, bool layerNorm = false, double forgetBias = 1)
        : base(layers, inputDim, hiddenDim)
    {
        VanillaLstmForm.Check(layerNorm, hiddenDim, forgetBias);
        _form = new VanillaLstmForm(forgetBias);
        var normalization = new List<Parameter[]>();
        AddLayers(model, "vanilla-lstm-builder", (own, input) =>
        {
            int rows = ParameterLists.Rows(_form.Gates, hiddenDim);
            Parameter wx = ParameterLists.Matrix(own, rows, input);
            Parameter wh = ParameterLists.Matrix(own, rows, hiddenDim);
            Parameter maskX = own.AddParameters(wx.Dim, Initializer.Constant(1));
            Parameter maskH = own.AddParameters(wh.Dim, Initializer.Constant(1));
            maskX.IsUpdated = maskH.IsUpdated = false;
            Parameter b = ParameterLists.Vector(own, rows);
            if (layerNorm)
                normalization.Add(VanillaLstmCell.AddNormalization(model, hiddenDim, _form));
            return [wx, wh, maskX, maskH, b];
        });
        _normalization = [.. normalization];
        NormalizationParameters = ParameterLists.AsReadOnly(_normalization);
    }

    /// <summary>Whether there is layer normalization.</summary>
    public bool HasLayerNorm => _normalization.Length > 0;

    /// <summary>What is added in the forget gate, beside the trained bias.</summary>
    public double ForgetBias => _form.ForgetBias;

    /// <inheritdoc cref="VanillaLstmBuilder.NormalizationParameters"/>
    public IReadOnlyList<IReadOnlyList<Parameter>> NormalizationParameters { get; }

    /// <summary>
    /// Masks a share of the weights, those of least magnitude in all layers together, and no others. Weights that are
    /// masked already count as 0, so they stay so while the share grows. Of equal magnitudes those go first that come
    /// first in the order of the parameters. Biases are not masked.
    /// </summary>
    /// <param name="share">0 for none of the weights, to 1 for all; the number of weights is rounded down.</param>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The share is not between 0 and 1.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the model is disposed.</exception>
    public void SetSparsity(double share)
    {
        ThrowIfDisposed();
        if (!(share >= 0 && share <= 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, "The share must be between 0 and 1.");
        (Parameter Weight, Parameter Mask)[] matrices =
            [.. Parameters.SelectMany(layer => new[] { (layer[0], layer[2]), (layer[1], layer[3]) })];
        float[] magnitudes = [.. matrices.SelectMany(matrix => Magnitudes(matrix.Weight, matrix.Mask))];
        int[] order = [.. Enumerable.Range(0, magnitudes.Length).OrderBy(i => magnitudes[i])];
        float[] masks = new float[magnitudes.Length];
        Array.Fill(masks, 1);
        foreach (int i in order.AsSpan(0, (int)((decimal)share * order.Length)))
            masks[i] = 0;
        int first = 0;
        foreach ((_, Parameter mask) in matrices)
        {
            int size = (int)mask.Dim.Size;
            mask.SetValues(masks.AsSpan(first, size));
            mask.IsUpdated = false;
            first += size;
        }
    }

    /// <inheritdoc/>
    internal override IEnumerable<Parameter> AllParameters() =>
        base.AllParameters().Concat(_normalization.SelectMany(layer => layer));

    /// <inheritdoc/>
    private protected override int OwnCount(RnnRates rates) => 2 * Layers;

    /// <inheritdoc/>
    private protected override void SetOwn(in RnnStep step)
    {
        for (int layer = 0; layer < Layers; layer++)
        {
            LayerParameters p = Of(step, layer);
            int own = OwnIndex(step.Rates) + 2 * layer;
            step[own] = Ops.CMult(p[0], p.Constant(2));
            step[own + 1] = Ops.CMult(p[1], p.Constant(3));
        }
    }

    /// <inheritdoc/>
    private protected override Expression Step(in RnnStep step, int layer, Expression x)
    {
        int own = OwnIndex(step.Rates) + 2 * layer;
        return VanillaLstmCell.Record(
            step,
            layer,
            x,
            step[own],
            step[own + 1],
            Of(step, layer)[4],
            step.Of(HasLayerNorm ? _normalization[layer] : []),
            _form);
    }

    private static float[] Magnitudes(Parameter weight, Parameter mask)
    {
        float[] magnitudes = weight.ToArray();
        float[] masks = mask.ToArray();
        for (int i = 0; i < magnitudes.Length; i++)
            magnitudes[i] = Math.Abs(magnitudes[i] * masks[i]);
        return magnitudes;
    }
}
