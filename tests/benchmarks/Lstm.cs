using System.Diagnostics.CodeAnalysis;
using static DynNet.Native.Ops;

namespace DynNet.Native.Benchmarks;

/// <summary>An LSTM of one layer, in either style.</summary>
internal abstract class Lstm(int inputSize, int hidden)
{
    /// <summary>A place in a sequence.</summary>
    internal readonly record struct State(Expression C, Expression H, LstmState Cell);

    protected int Hidden { get; } = hidden;

    /// <summary>The operations of the matrix products of a step of one sequence, forward.</summary>
    public long StepFlops { get; } = 4 * MatrixProduct.Flops(hidden, 1, inputSize + hidden);

    public static Lstm Create(Style style, Model model, int inputSize, int hidden) =>
        style == Style.Ops ? new OpsLstm(model, inputSize, hidden) : new CellLstm(model, inputSize, hidden);

    /// <summary>Records the parameters, once for a graph.</summary>
    public abstract void Begin(ComputationGraph graph);

    /// <summary>Starts a number of sequences, side by side, with zeros.</summary>
    public abstract State Start(int batch = 1);

    /// <summary>Starts with a memory, and with its hyperbolic tangent as the output.</summary>
    public abstract State Start(Expression c);

    public abstract State Next(in State state, Expression x);
}

/// <summary>By the library's builder, which has a cell's operations.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The builder lives as long as the program.")]
internal sealed class CellLstm(Model model, int inputSize, int hidden) : Lstm(inputSize, hidden)
{
    private readonly VanillaLstmBuilder _builder = new(model, 1, inputSize, hidden);
    private ComputationGraph _graph = null!;

    public override void Begin(ComputationGraph graph) => _graph = graph;

    // The builder's zeros are broadcast to the batch of the first input.
    public override State Start(int batch = 1) => Of(_builder.InitialState(_graph));

    public override State Start(Expression c) => Of(_builder.InitialState(_graph, c, Tanh(c)));

    public override State Next(in State state, Expression x) => Of(state.Cell.AddInput(x));

    private static State Of(LstmState cell) => new(cell.C(0), cell.H(0), cell);
}

/// <summary>From elementary operations, parameters for each gate.</summary>
internal sealed class OpsLstm(Model model, int inputSize, int hidden) : Lstm(inputSize, hidden)
{
    private readonly Gate _i = new(model, inputSize, hidden, 0);
    // The builder adds 1 to what its bias is.
    private readonly Gate _f = new(model, inputSize, hidden, 1);
    private readonly Gate _o = new(model, inputSize, hidden, 0);
    private readonly Gate _g = new(model, inputSize, hidden, 0);
    private ComputationGraph _graph = null!;

    public override void Begin(ComputationGraph graph)
    {
        _graph = graph;
        foreach (Gate gate in (ReadOnlySpan<Gate>)[_i, _f, _o, _g])
            gate.Begin(graph);
    }

    public override State Start(int batch = 1)
    {
        Dim dim = [Hidden];
        Expression zeros = _graph.Constant(dim.WithBatch(batch), 0);
        return new State(zeros, zeros, default);
    }

    public override State Start(Expression c) => new(c, Tanh(c), default);

    public override State Next(in State state, Expression x)
    {
        Expression i = Logistic(_i.Of(x, state.H));
        Expression f = Logistic(_f.Of(x, state.H));
        Expression o = Logistic(_o.Of(x, state.H));
        Expression g = Tanh(_g.Of(x, state.H));
        Expression c = CMult(f, state.C) + CMult(i, g);
        return new State(c, CMult(o, Tanh(c)), default);
    }

    private sealed class Gate(Model model, int inputSize, int hidden, double bias)
    {
        private readonly Parameter _wx = model.AddParameters([hidden, inputSize]);
        private readonly Parameter _wh = model.AddParameters([hidden, hidden]);
        private readonly Parameter _b = model.AddParameters([hidden], Initializer.Constant(bias));
        private Expression _x, _h, _bias;

        public void Begin(ComputationGraph graph)
        {
            _x = graph.Parameter(_wx);
            _h = graph.Parameter(_wh);
            _bias = graph.Parameter(_b);
        }

        public Expression Of(Expression x, Expression h) => AffineTransform(_bias, _x, x, _h, h);
    }
}
