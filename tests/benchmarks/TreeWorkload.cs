using static DynNet.Native.Ops;

namespace DynNet.Native.Benchmarks;

/// <summary>Trees a second, by any network.</summary>
internal sealed class TreeWorkload : Workload<Tree>
{
    private readonly TreeNetwork _network;

    /// <param name="options">What the command line says.</param>
    /// <param name="create">Makes the network in a model, for a number of words.</param>
    public TreeWorkload(Options options, Func<Model, int, TreeNetwork> create)
        : this(options, create, Tree.All(options.DataFile, out int words), words)
    {
    }

    private TreeWorkload(Options options, Func<Model, int, TreeNetwork> create, Tree[] trees, int words)
        : base(options, trees, "trees/s") =>
        _network = create(Model, words);

    protected override void Begin(ComputationGraph graph) => _network.Begin(graph);

    protected override int Record(ComputationGraph graph, Tree example, List<Expression> losses)
    {
        _network.Record(example, losses);
        return 1;
    }

    protected override long Flops(Tree example) => _network.Flops(example);
}

/// <summary>
/// A cell that goes up binary trees, with word vectors of 128 and a hidden size of 128, and predicts a label at every
/// node.
/// </summary>
internal abstract class TreeNetwork
{
    protected const int WordSize = 128;
    protected const int Hidden = 128;
    private const int Labels = 5;

    private readonly LookupParameter _embeddings;
    private readonly Parameter _labelWeights;
    private Expression _labels;

    private protected TreeNetwork(Model model, int words)
    {
        _embeddings = model.AddLookupParameters(words, [WordSize]);
        _labelWeights = model.AddParameters([Labels, Hidden]);
    }

    protected ComputationGraph Graph { get; private set; } = null!;

    /// <summary>The operations of the matrix products of a leaf.</summary>
    protected abstract long LeafFlops { get; }

    /// <summary>The operations of the matrix products of an inner node.</summary>
    protected abstract long InnerFlops { get; }

    /// <summary>Records the parameters, once for a graph.</summary>
    public void Begin(ComputationGraph graph)
    {
        Graph = graph;
        _labels = graph.Parameter(_labelWeights);
        BeginCells();
    }

    /// <summary>Records a tree and a loss for each of its nodes.</summary>
    public TreeState Record(Tree tree, List<Expression> losses)
    {
        TreeState state = tree is { Left: { } left, Right: { } right }
            ? Inner(Record(left, losses), Record(right, losses))
            : Leaf(Graph.Lookup(_embeddings, tree.Word));
        losses.Add(PickNegLogSoftmax(_labels * state.H, tree.Label));
        return state;
    }

    /// <summary>The operations of the matrix products of a tree, forward.</summary>
    public long Flops(Tree tree)
    {
        int inner = tree.Leaves - 1;
        return (tree.Leaves * LeafFlops) + (inner * InnerFlops)
            + ((tree.Leaves + inner) * MatrixProduct.Flops(Labels, 1, Hidden));
    }

    protected abstract void BeginCells();

    protected abstract TreeState Leaf(Expression x);

    protected abstract TreeState Inner(TreeState left, TreeState right);
}

/// <summary>What a node hands to its parent.</summary>
/// <param name="H">The output.</param>
/// <param name="C">The memory, if the cell has one.</param>
internal readonly record struct TreeState(Expression H, Expression C = default);
