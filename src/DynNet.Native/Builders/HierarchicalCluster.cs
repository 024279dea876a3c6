namespace DynNet.Native;

/// <summary>
/// A node of the tree of a <see cref="HierarchicalSoftmaxBuilder"/>: a choice of a child or of a word.
/// </summary>
internal sealed class HierarchicalCluster
{
    private readonly Dictionary<string, int> _childIndices = new(StringComparer.Ordinal);
    private readonly List<HierarchicalCluster> _children = [];
    private readonly List<int> _words = [];
    private Parameter? _weights;
    private Parameter? _bias;

    /// <summary>The nodes below; none where words are.</summary>
    internal IReadOnlyList<HierarchicalCluster> Children => _children;

    /// <summary>The words; none where nodes are below.</summary>
    internal IReadOnlyList<int> Words => _words;

    /// <summary>The parameters of this node and of those below, in the order of their creation.</summary>
    internal IEnumerable<Parameter> Parameters =>
        new[] { _weights, _bias }.OfType<Parameter>().Concat(_children.SelectMany(child => child.Parameters));

    private int Outputs => Math.Max(_children.Count, _words.Count);

    /// <summary>The child of a symbol, made if there is none.</summary>
    /// <param name="symbol">The symbol.</param>
    /// <param name="index">Which child it is.</param>
    internal HierarchicalCluster Child(string symbol, out int index)
    {
        if (!_childIndices.TryGetValue(symbol, out index))
        {
            index = _children.Count;
            _childIndices.Add(symbol, index);
            _children.Add(new HierarchicalCluster());
        }
        return _children[index];
    }

    /// <summary>Adds a word.</summary>
    /// <returns>Which of the node's it is.</returns>
    internal int AddWord(int word)
    {
        _words.Add(word);
        return _words.Count - 1;
    }

    /// <summary>
    /// Makes the parameters, this node's first. A choice of one needs none, one of two has one score.
    /// </summary>
    internal void AddParameters(Model model, int inputDim)
    {
        if (Outputs > 1)
        {
            int rows = Outputs == 2 ? 1 : Outputs;
            _weights = ParameterLists.Matrix(model, rows, inputDim);
            _bias = ParameterLists.Vector(model, rows);
        }
        foreach (HierarchicalCluster child in _children)
            child.AddParameters(model, inputDim);
    }

    /// <summary>
    /// Scores {n} whose softmax the probabilities of the choices are; null where there is one choice. Of two, the first
    /// has the probability logistic(b + W h): that is the softmax of this score and 0.
    /// </summary>
    internal Expression? Scores(Expression h, bool update)
    {
        if (_weights is null)
            return null;
        Expression scores = SoftmaxBuilder.Scores(_weights, _bias, h, update);
        return Outputs == 2 ? Ops.Concatenate(scores, h.Graph.Constant([1], 0)) : scores;
    }

    /// <summary>Whether another tree has the same words in the same places.</summary>
    internal bool HasClassesOf(HierarchicalCluster other) =>
        _words.SequenceEqual(other._words)
        && _children.Count == other._children.Count
        && _children.Zip(other._children).All(pair => pair.First.HasClassesOf(pair.Second));
}
