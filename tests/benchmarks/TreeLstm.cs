using static DynNet.Native.Ops;

namespace DynNet.Native.Benchmarks;

/// <summary>Binary TreeLSTM, in either style.</summary>
internal abstract class TreeLstm : TreeNetwork
{
    private protected TreeLstm(Model model, int words)
        : base(model, words)
    {
    }

    // The gates i, o, u.
    protected override long LeafFlops => 3 * MatrixProduct.Flops(Hidden, 1, WordSize);

    // The same of both children, and f of each.
    protected override long InnerFlops =>
        (3 * MatrixProduct.Flops(Hidden, 1, 2 * Hidden)) + (2 * MatrixProduct.Flops(Hidden, 1, Hidden));

    public static TreeLstm Create(Style style, Model model, int words) =>
        style == Style.Ops ? new OpsTreeLstm(model, words) : new CellTreeLstm(model, words);
}

/// <summary>From elementary operations, a parameter for each gate.</summary>
internal sealed class OpsTreeLstm(Model model, int words) : TreeLstm(model, words)
{
    private readonly Parameter[] _parameters =
    [
        // Of a leaf: i, o, u.
        model.AddParameters([Hidden, WordSize]),
        model.AddParameters([Hidden, WordSize]),
        model.AddParameters([Hidden, WordSize]),
        // Of an inner node: i, o, u, f1, f2.
        model.AddParameters([Hidden, 2 * Hidden]),
        model.AddParameters([Hidden, 2 * Hidden]),
        model.AddParameters([Hidden, 2 * Hidden]),
        model.AddParameters([Hidden, Hidden]),
        model.AddParameters([Hidden, Hidden]),
        // Of both: i, o, u; and f.
        model.AddParameters([Hidden], Initializer.Constant(0)),
        model.AddParameters([Hidden], Initializer.Constant(0)),
        model.AddParameters([Hidden], Initializer.Constant(0)),
        model.AddParameters([Hidden], Initializer.Constant(0)),
    ];

    private Expression _leafI, _leafO, _leafU, _innerI, _innerO, _innerU, _f1, _f2, _biasI, _biasO, _biasU, _biasF;

    protected override void BeginCells()
    {
        _leafI = Graph.Parameter(_parameters[0]);
        _leafO = Graph.Parameter(_parameters[1]);
        _leafU = Graph.Parameter(_parameters[2]);
        _innerI = Graph.Parameter(_parameters[3]);
        _innerO = Graph.Parameter(_parameters[4]);
        _innerU = Graph.Parameter(_parameters[5]);
        _f1 = Graph.Parameter(_parameters[6]);
        _f2 = Graph.Parameter(_parameters[7]);
        _biasI = Graph.Parameter(_parameters[8]);
        _biasO = Graph.Parameter(_parameters[9]);
        _biasU = Graph.Parameter(_parameters[10]);
        _biasF = Graph.Parameter(_parameters[11]);
    }

    protected override TreeState Leaf(Expression x)
    {
        Expression i = Logistic(AffineTransform(_biasI, _leafI, x));
        Expression o = Logistic(AffineTransform(_biasO, _leafO, x));
        Expression u = Tanh(AffineTransform(_biasU, _leafU, x));
        Expression c = CMult(i, u);
        return new TreeState(CMult(o, Tanh(c)), c);
    }

    protected override TreeState Inner(TreeState left, TreeState right)
    {
        Expression e = Concatenate(left.H, right.H);
        Expression i = Logistic(AffineTransform(_biasI, _innerI, e));
        Expression o = Logistic(AffineTransform(_biasO, _innerO, e));
        Expression u = Tanh(AffineTransform(_biasU, _innerU, e));
        Expression f1 = Logistic(AffineTransform(_biasF, _f1, left.H));
        Expression f2 = Logistic(AffineTransform(_biasF, _f2, right.H));
        Expression c = CMult(i, u) + CMult(f1, left.C) + CMult(f2, right.C);
        return new TreeState(CMult(o, Tanh(c)), c);
    }
}

/// <summary>From the operations of a TreeLSTM cell, with stacked parameters.</summary>
internal sealed class CellTreeLstm(Model model, int words) : TreeLstm(model, words)
{
    private readonly Parameter _leafWeights = model.AddParameters([3 * Hidden, WordSize]);
    private readonly Parameter _innerWeights = model.AddParameters([3 * Hidden, 2 * Hidden]);
    private readonly Parameter _f1Weights = model.AddParameters([Hidden, Hidden]);
    private readonly Parameter _f2Weights = model.AddParameters([Hidden, Hidden]);
    private readonly Parameter _biases = model.AddParameters([3 * Hidden], Initializer.Constant(0));
    private readonly Parameter _fBiases = model.AddParameters([Hidden], Initializer.Constant(0));

    private Expression _leaf, _inner, _f1, _f2, _bias, _biasF;

    protected override void BeginCells()
    {
        _leaf = Graph.Parameter(_leafWeights);
        _inner = Graph.Parameter(_innerWeights);
        _f1 = Graph.Parameter(_f1Weights);
        _f2 = Graph.Parameter(_f2Weights);
        _bias = Graph.Parameter(_biases);
        _biasF = Graph.Parameter(_fBiases);
    }

    protected override TreeState Leaf(Expression x)
    {
        Expression iou = AffineTransform(_bias, _leaf, x);
        Expression c = TreeLstmC(iou);
        return new TreeState(TreeLstmH(iou, c), c);
    }

    protected override TreeState Inner(TreeState left, TreeState right)
    {
        Expression iou = AffineTransform(_bias, _inner, Concatenate(left.H, right.H));
        Expression f1 = AffineTransform(_biasF, _f1, left.H);
        Expression f2 = AffineTransform(_biasF, _f2, right.H);
        Expression c = TreeLstmC(iou, f1, left.C, f2, right.C);
        return new TreeState(TreeLstmH(iou, c), c);
    }
}
