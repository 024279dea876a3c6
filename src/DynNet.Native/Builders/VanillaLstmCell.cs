namespace DynNet.Native;

/// <summary>
/// A layer of the LSTM, the gates of which do not look at the memory, written with operations: what
/// <see cref="VanillaLstmBuilder"/>, <see cref="CompactVanillaLstmBuilder"/> and <see cref="SparseLstmBuilder"/> have
/// in common.
/// </summary>
internal static class VanillaLstmCell
{
    /// <summary>Makes Wx {4h, input}, Wh {4h, h} and b {4h}; of coupled gates with 3h.</summary>
    internal static Parameter[] AddParameters(Model model, int input, int hidden, VanillaLstmForm form)
    {
        int rows = ParameterLists.Rows(form.Gates, hidden);
        return
        [
            ParameterLists.Matrix(model, rows, input), ParameterLists.Matrix(model, rows, hidden),
            ParameterLists.Vector(model, rows),
        ];
    }

    /// <summary>
    /// Makes the gains and biases of layer normalization, in DyNet's order: those for Wh h, for Wx x and for c.
    /// </summary>
    internal static Parameter[] AddNormalization(Model model, int hidden, VanillaLstmForm form)
    {
        int rows = ParameterLists.Rows(form.Gates, hidden);
        return
        [
            ParameterLists.Vector(model, rows, 1), ParameterLists.Vector(model, rows),
            ParameterLists.Vector(model, rows, 1), ParameterLists.Vector(model, rows),
            ParameterLists.Vector(model, hidden, 1), ParameterLists.Vector(model, hidden),
        ];
    }

    /// <summary>Records a layer, its weights given as expressions or parameters.</summary>
    /// <param name="step">The step.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="x">Its input.</param>
    /// <param name="wx">{4h, input}: the gates in the order i, f, o, g; of coupled gates {3h, input}, without
    /// i.</param>
    /// <param name="wh">{4h, h}, or {3h, h}.</param>
    /// <param name="b">{4h}, or {3h}.</param>
    /// <param name="norms">The gains and biases of layer normalization, or none.</param>
    /// <param name="form">The form.</param>
    /// <returns>The new h.</returns>
    internal static Expression Record(
        in RnnStep step,
        int layer,
        Expression x,
        Expression wx,
        Expression wh,
        Expression b,
        LayerParameters norms,
        VanillaLstmForm form)
    {
        x = step.Masked(RnnStep.InputMask, layer, x);
        Expression h = step.IsFirst ? step.H(layer) : step.Masked(RnnStep.HiddenMask, layer, step.H(layer));
        Expression c = step.C(layer);
        if (norms.IsEmpty && form == VanillaLstmForm.Usual)
        {
            Expression gates = Ops.VanillaLstmGates(x, h, wx, wh, b);
            c = Ops.VanillaLstmC(c, gates);
            h = Ops.VanillaLstmH(c, gates);
        }
        else
        {
            Expression sums = norms.IsEmpty
                ? Ops.AffineTransform(b, wx, x, wh, h)
                : NormalizedSums(x, h, wx, wh, b, norms, step.IsFirst);
            int n = h.Dim.Rows, first = n * (form.Gates - 3);
            Expression f = Ops.Logistic(Ops.PickRange(sums, first, first + n) + form.ForgetBias);
            Expression i = form.HasCoupledGates ? 1 - f : Ops.Logistic(Ops.PickRange(sums, 0, n));
            Expression o = Ops.Logistic(Ops.PickRange(sums, first + n, first + 2 * n));
            Expression g = Ops.Tanh(Ops.PickRange(sums, first + 2 * n, first + 3 * n));
            c = Ops.CMult(f, c) + Ops.CMult(i, g);
            h = Ops.CMult(o, Ops.Tanh(norms.IsEmpty ? c : Ops.LayerNorm(c, norms[4], norms[5])));
        }
        step.SetC(layer, c);
        step.SetH(layer, h);
        return h;
    }

    // As in DyNet: where nothing went before, Wh h is nothing, and not zeros that are normalized.
    private static Expression NormalizedSums(
        Expression x,
        Expression h,
        Expression wx,
        Expression wh,
        Expression b,
        LayerParameters norms,
        bool isFirst)
    {
        Expression sums = b + Ops.LayerNorm(wx * x, norms[2], norms[3]);
        return isFirst ? sums : sums + Ops.LayerNorm(wh * h, norms[0], norms[1]);
    }
}
