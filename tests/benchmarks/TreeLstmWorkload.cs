using static DynNet.Native.Ops;

namespace DynNet.Native.Benchmarks;

/// <summary>Binary TreeLSTM with word vectors of 128 and a hidden size of 128, and a label at every node.</summary>
internal sealed class TreeLstmWorkload : Workload<Tree>
{
    private readonly TreeLstm _network;

    public TreeLstmWorkload(Options options)
        : this(options, Tree.All(options.Data, out int words), words)
    {
    }

    private TreeLstmWorkload(Options options, Tree[] trees, int words)
        : base(options, trees, "trees/s") =>
        _network = TreeLstm.Create(options.Style, Model, words);

    protected override void Begin(ComputationGraph graph) => _network.Begin(graph);

    protected override int Record(ComputationGraph graph, Tree example, List<Expression> losses)
    {
        _network.Record(example, losses);
        return 1;
    }
}

/// <summary>The network, in either style.</summary>
internal abstract class TreeLstm
{
    protected const int WordSize = 128;
    protected const int Hidden = 128;
    private const int Labels = 5;

    private readonly LookupParameter _embeddings;
    private readonly Parameter _labelWeights;
    private Expression _labels;

    private protected TreeLstm(Model model, int words)
    {
        _embeddings = model.AddLookupParameters(words, [WordSize]);
        _labelWeights = model.AddParameters([Labels, Hidden]);
    }

    protected ComputationGraph Graph { get; private set; } = null!;

    public static TreeLstm Create(Style style, Model model, int words) =>
        style == Style.Ops ? new OpsTreeLstm(model, words) : new CellTreeLstm(model, words);

    /// <summary>Records the parameters, once for a graph.</summary>
    public void Begin(ComputationGraph graph)
    {
        Graph = graph;
        _labels = graph.Parameter(_labelWeights);
        BeginCells();
    }

    /// <summary>Records a tree and a loss for each of its nodes.</summary>
    public (Expression H, Expression C) Record(Tree tree, List<Expression> losses)
    {
        (Expression H, Expression C) state;
        if (tree is { Left: { } left, Right: { } right })
        {
            (Expression h1, Expression c1) = Record(left, losses);
            (Expression h2, Expression c2) = Record(right, losses);
            state = Inner(h1, c1, h2, c2);
        }
        else
        {
            state = Leaf(Graph.Lookup(_embeddings, tree.Word));
        }
        losses.Add(PickNegLogSoftmax(_labels * state.H, tree.Label));
        return state;
    }

    protected abstract void BeginCells();

    protected abstract (Expression H, Expression C) Leaf(Expression x);

    protected abstract (Expression H, Expression C) Inner(Expression h1, Expression c1, Expression h2, Expression c2);
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

    protected override (Expression H, Expression C) Leaf(Expression x)
    {
        Expression i = Logistic(AffineTransform(_biasI, _leafI, x));
        Expression o = Logistic(AffineTransform(_biasO, _leafO, x));
        Expression u = Tanh(AffineTransform(_biasU, _leafU, x));
        Expression c = CMult(i, u);
        return (CMult(o, Tanh(c)), c);
    }

    protected override (Expression H, Expression C) Inner(Expression h1, Expression c1, Expression h2, Expression c2)
    {
        Expression e = Concatenate(h1, h2);
        Expression i = Logistic(AffineTransform(_biasI, _innerI, e));
        Expression o = Logistic(AffineTransform(_biasO, _innerO, e));
        Expression u = Tanh(AffineTransform(_biasU, _innerU, e));
        Expression f1 = Logistic(AffineTransform(_biasF, _f1, h1));
        Expression f2 = Logistic(AffineTransform(_biasF, _f2, h2));
        Expression c = CMult(i, u) + CMult(f1, c1) + CMult(f2, c2);
        return (CMult(o, Tanh(c)), c);
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

    protected override (Expression H, Expression C) Leaf(Expression x)
    {
        Expression iou = AffineTransform(_bias, _leaf, x);
        Expression c = TreeLstmC(iou);
        return (TreeLstmH(iou, c), c);
    }

    protected override (Expression H, Expression C) Inner(Expression h1, Expression c1, Expression h2, Expression c2)
    {
        Expression iou = AffineTransform(_bias, _inner, Concatenate(h1, h2));
        Expression f1 = AffineTransform(_biasF, _f1, h1);
        Expression f2 = AffineTransform(_biasF, _f2, h2);
        Expression c = TreeLstmC(iou, f1, c1, f2, c2);
        return (TreeLstmH(iou, c), c);
    }
}
