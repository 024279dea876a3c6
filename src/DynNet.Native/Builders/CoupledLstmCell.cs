namespace DynNet.Native;

/// <summary>
/// A layer of the LSTM whose forget gate is 1 - i: what <see cref="CoupledLstmBuilder"/>, <see cref="FastLstmBuilder"/>
/// and <see cref="DeepLstmBuilder"/> have in common. Its parameters are Wxi, Whi, Wci, bi, Wxo, Who, Wco, bo, Wxc, Whc
/// and bc.
/// </summary>
internal static class CoupledLstmCell
{
    /// <summary>How a gate looks at a memory.</summary>
    internal enum Peephole
    {
        /// <summary>Not at all.</summary>
        None,

        /// <summary>Through a matrix.</summary>
        Full,

        /// <summary>Each element at its own.</summary>
        Diagonal,
    }

    internal static Parameter[] AddParameters(Model model, int input, int hidden, bool diagonal)
    {
        return
        [
            Matrix(input), Matrix(hidden), Peep(), ParameterLists.Vector(model, hidden),
            Matrix(input), Matrix(hidden), Peep(), ParameterLists.Vector(model, hidden),
            Matrix(input), Matrix(hidden), ParameterLists.Vector(model, hidden),
        ];

        Parameter Matrix(int columns) => ParameterLists.Matrix(model, hidden, columns);

        Parameter Peep() => ParameterLists.Matrix(model, hidden, diagonal ? 1 : hidden);
    }

    /// <summary>Records a layer.</summary>
    /// <param name="step">The step.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="x">Its input.</param>
    /// <param name="p">Its parameters.</param>
    /// <param name="peephole">How i looks at c and o at c'.</param>
    /// <param name="firstOutputLooks">Whether o looks at c' where nothing went before, too.</param>
    /// <returns>The new h.</returns>
    internal static Expression Record(
        in RnnStep step,
        int layer,
        Expression x,
        LayerParameters p,
        Peephole peephole,
        bool firstOutputLooks)
    {
        x = step.Masked(RnnStep.InputMask, layer, x);
        Expression c, o;
        if (step.IsFirst)
        {
            Expression i = Ops.Logistic(Ops.AffineTransform(p[3], p[0], x));
            c = Ops.CMult(i, Ops.Tanh(Ops.AffineTransform(p[10], p[8], x)));
            Expression looked = step.Masked(RnnStep.MemoryMask, layer, c);
            o = (firstOutputLooks ? peephole : Peephole.None) switch
            {
                Peephole.None => Ops.AffineTransform(p[7], p[4], x),
                Peephole.Full => Ops.AffineTransform(p[7], p[4], x, p[6], looked),
                _ => Ops.AffineTransform(p[7], p[4], x) + Ops.CMult(p[6], looked),
            };
        }
        else
        {
            Expression h = step.Masked(RnnStep.HiddenMask, layer, step.H(layer));
            Expression before = step.C(layer);
            Expression i = Ops.Logistic(Gate(p[..4], x, h, step.Masked(RnnStep.MemoryMask, layer, before), peephole));
            Expression g = Ops.Tanh(Ops.AffineTransform(p[10], p[8], x, p[9], h));
            c = Ops.CMult(i, g) + Ops.CMult(1 - i, before);
            o = Gate(p[4..8], x, h, step.Masked(RnnStep.MemoryMask, layer, c), peephole);
        }
        Expression next = Ops.CMult(Ops.Logistic(o), Ops.Tanh(c));
        step.SetC(layer, c);
        step.SetH(layer, next);
        return next;
    }

    // p has Wx, Wh, Wc and b of the gate.
    private static Expression Gate(
        LayerParameters p, Expression x, Expression h, Expression c, Peephole peephole) => peephole switch
        {
            Peephole.None => Ops.AffineTransform(p[3], p[0], x, p[1], h),
            Peephole.Full => Ops.AffineTransform(p[3], p[0], x, p[1], h, p[2], c),
            _ => Ops.AffineTransform(p[3], p[0], x, p[1], h) + Ops.CMult(p[2], c),
        };
}
