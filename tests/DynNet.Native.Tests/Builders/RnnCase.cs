using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>A kind of builder, and the formula of its cell in elementary operations.</summary>
/// <param name="Name">The name.</param>
/// <param name="Make">Makes a builder, given layers, input and hidden size.</param>
/// <param name="Cell">The formula.</param>
/// <param name="Parameters">The parameters of 2 layers for inputs of 3 and h of 4, as DyNet names them.</param>
internal sealed record RnnCase(
    string Name, Func<Model, int, int, int, RnnBuilder> Make, RnnCase.Formula Cell, params string[] Parameters)
{
    /// <summary>A cell: from x, h and c, and the layer's parameters, the new h and c.</summary>
    internal delegate (Expression H, Expression C) Formula(
        IReadOnlyList<Parameter> p, Expression x, Expression h, Expression c, bool isFirst);

    internal static RnnCase[] All { get; } =
    [
        new(
            "simple",
            (model, layers, input, hidden) => new SimpleRnnBuilder(model, layers, input, hidden),
            (p, x, h, c, _) => (Tanh(p[0] * x + p[1] * h + p[2]), c),
            "/simple-rnn-builder/_0 {4,3}", "/simple-rnn-builder/_1 {4,4}", "/simple-rnn-builder/_2 {4}",
            "/simple-rnn-builder/_3 {4,4}", "/simple-rnn-builder/_4 {4,4}", "/simple-rnn-builder/_5 {4}"),
        new(
            "simple with lags",
            (model, layers, input, hidden) => new SimpleRnnBuilder(model, layers, input, hidden, supportLags: true),
            (p, x, h, c, _) => (Tanh(p[0] * x + p[1] * h + p[2]), c),
            "/simple-rnn-builder/_0 {4,3}", "/simple-rnn-builder/_1 {4,4}", "/simple-rnn-builder/_2 {4}",
            "/simple-rnn-builder/_3 {4,4}",
            "/simple-rnn-builder/_4 {4,4}", "/simple-rnn-builder/_5 {4,4}", "/simple-rnn-builder/_6 {4}",
            "/simple-rnn-builder/_7 {4,4}"),
        new(
            "gru",
            (model, layers, input, hidden) => new GruBuilder(model, layers, input, hidden),
            Gru,
            [.. Enumerable.Range(0, 2).SelectMany(layer => Enumerable.Range(0, 3).SelectMany(gate => new[]
            {
                $"/gru-builder/_{9 * layer + 3 * gate} {{4,{3 + layer}}}",
                $"/gru-builder/_{9 * layer + 3 * gate + 1} {{4,4}}",
                $"/gru-builder/_{9 * layer + 3 * gate + 2} {{4}}",
            }))]),
        new(
            "vanilla",
            (model, layers, input, hidden) => new VanillaLstmBuilder(model, layers, input, hidden),
            (p, x, h, c, _) => Vanilla(p[0] * x + p[1] * h + p[2], c, 1),
            VanillaNames("vanilla-lstm-builder")),
        new(
            "vanilla with another forget bias",
            (model, layers, input, hidden) => new VanillaLstmBuilder(model, layers, input, hidden, false, -0.5),
            (p, x, h, c, _) => Vanilla(p[0] * x + p[1] * h + p[2], c, -0.5),
            VanillaNames("vanilla-lstm-builder")),
        new(
            "vanilla with coupled gates",
            (model, layers, input, hidden) =>
                new VanillaLstmBuilder(model, layers, input, hidden, coupledGates: true),
            (p, x, h, c, _) => CoupledVanilla(p[0] * x + p[1] * h + p[2], c, 1),
            VanillaNames("vanilla-lstm-builder", 12)),
        new(
            "vanilla with coupled gates and another forget bias",
            (model, layers, input, hidden) =>
                new VanillaLstmBuilder(model, layers, input, hidden, false, -0.5, coupledGates: true),
            (p, x, h, c, _) => CoupledVanilla(p[0] * x + p[1] * h + p[2], c, -0.5),
            VanillaNames("vanilla-lstm-builder", 12)),
        new(
            "compact",
            (model, layers, input, hidden) => new CompactVanillaLstmBuilder(model, layers, input, hidden),
            (p, x, h, c, _) => Vanilla(p[0] * x + p[1] * h + p[2], c, 1),
            VanillaNames("compact-vanilla-lstm-builder")),
        new(
            "sparse",
            (model, layers, input, hidden) => new SparseLstmBuilder(model, layers, input, hidden),
            (p, x, h, c, _) => Vanilla(p[0] * x + p[1] * h + p[4], c, 1),
            "/vanilla-lstm-builder/_0 {16,3}", "/vanilla-lstm-builder/_1 {16,4}",
            "/vanilla-lstm-builder/_2 {16,3}", "/vanilla-lstm-builder/_3 {16,4}", "/vanilla-lstm-builder/_4 {16}",
            "/vanilla-lstm-builder/_5 {16,4}", "/vanilla-lstm-builder/_6 {16,4}",
            "/vanilla-lstm-builder/_7 {16,4}", "/vanilla-lstm-builder/_8 {16,4}", "/vanilla-lstm-builder/_9 {16}"),
        new(
            "coupled",
            (model, layers, input, hidden) => new CoupledLstmBuilder(model, layers, input, hidden),
            (p, x, h, c, _) => Coupled(p, x, h, c, (w, memory) => w * memory, true),
            CoupledNames("lstm-builder", "4,4", 4)),
        new(
            "fast",
            (model, layers, input, hidden) => new FastLstmBuilder(model, layers, input, hidden),
            (p, x, h, c, _) => Coupled(p, x, h, c, (_, memory) => 0 * memory, true),
            CoupledNames("fast-lstm-builder", "4,1", 4)),
        new(
            "fast with peepholes",
            (model, layers, input, hidden) => new FastLstmBuilder(model, layers, input, hidden, peepholes: true),
            (p, x, h, c, _) => Coupled(p, x, h, c, (w, memory) => CMult(w, memory), true),
            CoupledNames("fast-lstm-builder", "4,1", 4)),
        new(
            "deep",
            (model, layers, input, hidden) => new DeepLstmBuilder(model, layers, input, hidden),
            (p, x, h, c, isFirst) => Coupled(p, x, h, c, (w, memory) => w * memory, !isFirst),
            CoupledNames("deep-lstm-builder", "4,4", 7)),
    ];

    public override string ToString() => Name;

    /// <summary>Steps in elementary operations: the output, and c and h of each layer.</summary>
    internal (Expression Output, Expression[] C, Expression[] H) Steps(
        RnnBuilder builder,
        ComputationGraph graph,
        IEnumerable<Expression> xs,
        (Expression[] C, Expression[] H)? start = null)
    {
        Expression zeros = graph.Constant([builder.HiddenDim], 0);
        Expression[] c = start?.C ?? [.. Enumerable.Repeat(zeros, builder.Layers)];
        Expression[] h = start?.H ?? [.. Enumerable.Repeat(zeros, builder.Layers)];
        bool isFirst = start is null;
        bool isDeep = builder is DeepLstmBuilder;
        foreach (Expression x in xs)
        {
            c = [.. c];
            h = [.. h];
            Expression input = x;
            for (int layer = 0; layer < builder.Layers; layer++)
            {
                if (isDeep && layer > 0)
                    input = Concatenate(input, x);
                (h[layer], c[layer]) = Cell(builder.Parameters[layer], input, h[layer], c[layer], isFirst);
                input = h[layer];
            }
            isFirst = false;
        }
        return (isDeep ? Concatenate(h) : h[^1], c, h);
    }

    internal static (Expression H, Expression C) Vanilla(Expression sums, Expression c, double forgetBias)
    {
        int n = sums.Dim.Rows / 4;
        Expression i = Logistic(PickRange(sums, 0, n));
        Expression f = Logistic(PickRange(sums, n, 2 * n) + forgetBias);
        Expression o = Logistic(PickRange(sums, 2 * n, 3 * n));
        Expression g = Tanh(PickRange(sums, 3 * n, 4 * n));
        c = CMult(f, c) + CMult(i, g);
        return (CMult(o, Tanh(c)), c);
    }

    internal static (Expression H, Expression C) CoupledVanilla(Expression sums, Expression c, double forgetBias)
    {
        int n = sums.Dim.Rows / 3;
        Expression f = Logistic(PickRange(sums, 0, n) + forgetBias);
        Expression o = Logistic(PickRange(sums, n, 2 * n));
        Expression g = Tanh(PickRange(sums, 2 * n, 3 * n));
        c = CMult(f, c) + CMult(1 - f, g);
        return (CMult(o, Tanh(c)), c);
    }

    private static (Expression H, Expression C) Gru(
        IReadOnlyList<Parameter> p, Expression x, Expression h, Expression c, bool isFirst)
    {
        Expression z = Logistic(p[0] * x + p[1] * h + p[2]);
        Expression r = Logistic(p[3] * x + p[4] * h + p[5]);
        Expression g = Tanh(p[6] * x + p[7] * CMult(r, h) + p[8]);
        return (h + CMult(z, g - h), c);
    }

    private static (Expression H, Expression C) Coupled(
        IReadOnlyList<Parameter> p,
        Expression x,
        Expression h,
        Expression c,
        Func<Expression, Expression, Expression> look,
        bool outputLooks)
    {
        ComputationGraph graph = x.Graph;
        Expression i = Logistic(p[0] * x + p[1] * h + look(graph.Parameter(p[2]), c) + p[3]);
        Expression g = Tanh(p[8] * x + p[9] * h + p[10]);
        c += CMult(i, g - c);
        Expression o = p[4] * x + p[5] * h + p[7];
        if (outputLooks)
            o += look(graph.Parameter(p[6]), c);
        return (CMult(Logistic(o), Tanh(c)), c);
    }

    private static string[] VanillaNames(string builder, int rows = 16) =>
    [
        $"/{builder}/_0 {{{rows},3}}", $"/{builder}/_1 {{{rows},4}}", $"/{builder}/_2 {{{rows}}}",
        $"/{builder}/_3 {{{rows},4}}", $"/{builder}/_4 {{{rows},4}}", $"/{builder}/_5 {{{rows}}}",
    ];

    private static string[] CoupledNames(string builder, string peephole, int second)
    {
        string[] Layer(int input) =>
        [
            $"{{4,{input}}}", "{4,4}", $"{{{peephole}}}", "{4}", $"{{4,{input}}}", "{4,4}", $"{{{peephole}}}", "{4}",
            $"{{4,{input}}}", "{4,4}", "{4}",
        ];
        return [.. Layer(3).Concat(Layer(second)).Select((dim, i) => $"/{builder}/_{i} {dim}")];
    }
}
