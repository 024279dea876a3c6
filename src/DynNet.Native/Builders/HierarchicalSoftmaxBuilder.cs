namespace DynNet.Native;

/// <summary>
/// A softmax in many steps (Morin and Bengio 2005), for many words: they are the leaves of a tree, and the probability
/// of a word is the product of those of the choices on the path to it. A loss then costs as much as these choices.
/// </summary>
/// <remarks>
/// <para>Its parameters are in a sub-collection <c>hsm-builder</c>: for each node, before those below it, W {choices,
/// input} and b {choices}; for a choice of two W {1, input} and b {1}, the logistic function of whose score is the
/// probability of the first; for a choice of one none. Choices are numbered in the order in which the file has
/// them.</para>
/// <para>A number of the vocabulary that the file does not have is no class: its loss is an error, and its logarithm in
/// <see cref="FullLogDistribution"/> is -10000.</para>
/// </remarks>
public sealed class HierarchicalSoftmaxBuilder : SoftmaxBuilder
{
    private const double LogOfNothing = -10_000;

    private readonly HierarchicalCluster _root = new();

    // The choices on the way to each word; null for a number that no word has.
    private readonly (HierarchicalCluster Node, int Choice)[]?[] _paths;

    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="inputDim">The size of h.</param>
    /// <param name="clusterFile">
    /// A file of lines of a path, a tab, a word and, if wanted, more: <c>0 1 1 word frequency</c>, with a tab before
    /// the word, in UTF-8. The path's symbols are any text, with a blank between them; words that have one path share the
    /// last choice. A byte order mark at the very beginning is no part of the first path.
    /// </param>
    /// <param name="words">
    /// The vocabulary, which says the number of each word; it gets those that it does not have. If it is frozen, it
    /// must have all of the file's: none of these is taken for the word that stands for unknown ones.
    /// </param>
    /// <remarks>
    /// Must not run beside anything else that uses the model or the vocabulary. If this fails, the model is as before;
    /// the vocabulary may have got words of the file.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The size of h is less than 1.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">The operating system failed to read it.</exception>
    /// <exception cref="InvalidDataException">
    /// A line has no path or no word, a word that another has, one that is not in a frozen vocabulary, or a path that
    /// goes on below another word's; or it is not UTF-8.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public HierarchicalSoftmaxBuilder(Model model, int inputDim, string clusterFile, Dict words)
        : base(inputDim)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(clusterFile);
        ArgumentNullException.ThrowIfNull(words);
        _paths = Read(clusterFile, words);
        model.AllOrNothing(() =>
        {
            using Model own = model.AddSubcollection("hsm-builder");
            _root.AddParameters(own, inputDim);
        });
    }

    /// <summary>One more than the largest number of a word.</summary>
    public override int ClassCount => _paths.Length;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => [.. _root.Parameters];

    /// <inheritdoc/>
    public override Expression NegLogSoftmax(Expression h, int index, bool update = true)
    {
        h = Checked(h);
        if ((uint)index >= (uint)_paths.Length || _paths[index] is not { } path)
            throw new ArgumentOutOfRangeException(nameof(index), index, "The word has no path.");
        Expression? sum = null;
        foreach ((HierarchicalCluster node, int choice) in path)
        {
            if (node.Scores(h, update) is not { } scores)
                continue;
            Expression loss = Ops.PickNegLogSoftmax(scores, choice);
            sum = sum is { } before ? before + loss : loss;
        }
        return sum ?? h.Graph.Constant(Dim.Of(1).WithBatch(h.Dim.Batch), 0);
    }

    /// <inheritdoc/>
    public override Expression FullLogDistribution(Expression h, bool update = true)
    {
        h = Checked(h);
        var all = new Expression[_paths.Length];
        Array.Fill(all, h.Graph.Constant(Dim.Of(1).WithBatch(h.Dim.Batch), LogOfNothing));
        Fill(_root, h, h.Graph.Constant(Dim.Of(1).WithBatch(h.Dim.Batch), 0), all, update);
        return Ops.Concatenate(all);
    }

    /// <summary>Scores of all words whose softmax the probabilities are: their logarithms.</summary>
    /// <param name="h">{input}</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{classes}.</returns>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="ArgumentException">h is a parameter, which names no graph.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public override Expression FullLogits(Expression h, bool update = true) => FullLogDistribution(h, update);

    /// <inheritdoc/>
    private protected override Expression NegLogSoftmaxOfBatch(
        Expression h, ReadOnlySpan<int> indices, bool update) => NegLogSoftmaxOfEach(h, indices, update);

    /// <inheritdoc/>
    private protected override bool HasClassesOf(SoftmaxBuilder other) =>
        _root.HasClassesOf(((HierarchicalSoftmaxBuilder)other)._root);

    /// <inheritdoc/>
    private protected override int SampleOf(Expression h)
    {
        HierarchicalCluster node = _root;
        while (true)
        {
            int choice = node.Scores(h, update: true) is { } scores ? scores.Sample() : 0;
            if (node.Children.Count == 0)
                return node.Words[choice];
            node = node.Children[choice];
        }
    }

    /// <summary>Puts the logarithm of each word below a node in its place.</summary>
    private static void Fill(
        HierarchicalCluster node, Expression h, Expression before, Expression[] all, bool update)
    {
        Expression? logs = node.Scores(h, update) is { } scores ? Ops.LogSoftmax(scores) + before : (Expression?)null;
        for (int i = 0; i < node.Children.Count; i++)
            Fill(node.Children[i], h, Choice(i), all, update);
        for (int i = 0; i < node.Words.Count; i++)
            all[node.Words[i]] = Choice(i);

        Expression Choice(int i) => logs is { } several ? Ops.Pick(several, i) : before;
    }

    private (HierarchicalCluster, int)[]?[] Read(string file, Dict words)
    {
        var paths = new List<(HierarchicalCluster, int)[]?>();
        int line = 0;
        foreach ((string[] symbols, int word) in ClusterFile.ReadPaths(file, words))
        {
            line++;
            var path = new List<(HierarchicalCluster, int)>();
            HierarchicalCluster node = _root;
            foreach (string symbol in symbols)
            {
                if (node.Words.Count > 0)
                    throw ClusterFile.Damaged(file, line, "the path goes on below that of another word");
                HierarchicalCluster child = node.Child(symbol, out int choice);
                path.Add((node, choice));
                node = child;
            }
            if (node.Children.Count > 0)
                throw ClusterFile.Damaged(file, line, "the paths of other words go on below this one");
            while (paths.Count <= word)
                paths.Add(null);
            if (paths[word] is not null)
                throw ClusterFile.Damaged(file, line, $"the word {words.Convert(word)} has a path already");
            path.Add((node, node.AddWord(word)));
            paths[word] = [.. path];
        }
        return [.. paths];
    }
}
