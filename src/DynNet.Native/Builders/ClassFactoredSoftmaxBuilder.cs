namespace DynNet.Native;

/// <summary>
/// A softmax in two steps (Goodman 2001), for many words: the probability of a word's cluster, times that of the word
/// among those of its cluster. A loss then costs as much as the clusters and one cluster's words.
/// </summary>
/// <remarks>
/// <para>Its parameters are in a sub-collection <c>class-factored-softmax-builder</c>: W {clusters, input} and
/// b {clusters}, then for each cluster of more than one word W {words, input} and b {words}. Clusters and the words in
/// them are numbered in the order in which the file has them.</para>
/// <para>A number of the vocabulary that the file does not have is no class: its loss is an error, and its logarithm in
/// <see cref="FullLogDistribution"/> is -10000, as in DyNet.</para>
/// </remarks>
public sealed class ClassFactoredSoftmaxBuilder : SoftmaxBuilder
{
    private const double LogOfNothing = -10_000;

    private readonly int[][] _words;
    private readonly (int Cluster, int Place)[] _places;
    private readonly (Parameter Weights, Parameter? Bias) _clusters;
    private readonly (Parameter Weights, Parameter? Bias)?[] _inCluster;

    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="inputDim">The size of h.</param>
    /// <param name="clusterFile">
    /// A file of lines <c>cluster word [frequency]</c>, separated by blanks or tabs, in UTF-8. The clusters'
    /// names are any text. A byte order mark at the very beginning is no part of the first.
    /// </param>
    /// <param name="words">
    /// The vocabulary, which says the number of each word; it gets those that it does not have. If it is frozen, it
    /// must have all of the file's: none of these is taken for the word that stands for unknown ones.
    /// </param>
    /// <param name="bias">Whether there are biases.</param>
    /// <remarks>
    /// Must not run beside anything else that uses the model or the vocabulary. If this fails, the model is as before;
    /// the vocabulary may have got words of the file.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The size of h is less than 1.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">The operating system failed to read it.</exception>
    /// <exception cref="InvalidDataException">
    /// A line has no word, or a word that another has, or one that is not in a frozen vocabulary; or it is not
    /// UTF-8.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public ClassFactoredSoftmaxBuilder(Model model, int inputDim, string clusterFile, Dict words, bool bias = true)
        : base(inputDim)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(clusterFile);
        ArgumentNullException.ThrowIfNull(words);
        (_words, _places) = Read(clusterFile, words);
        int[] sizes = [_words.Length, .. _words.Select(members => members.Length)];
        (Parameter, Parameter?)?[] made = model.AllOrNothing(() =>
        {
            using Model own = model.AddSubcollection("class-factored-softmax-builder");
            return sizes.Select((size, i) => i == 0 || size > 1 ? Add(own, size) : null).ToArray();
        });
        _clusters = made[0]!.Value;
        _inCluster = made[1..];

        (Parameter, Parameter?)? Add(Model own, int rows) =>
            (ParameterLists.Matrix(own, rows, inputDim), bias ? ParameterLists.Vector(own, rows) : null);
    }

    /// <summary>One more than the largest number of a word.</summary>
    public override int ClassCount => _places.Length;

    /// <summary>The number of clusters.</summary>
    public int ClusterCount => _words.Length;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters =>
    [
        .. _inCluster.Prepend(_clusters).Where(each => each is not null)
            .SelectMany(each => new[] { each!.Value.Weights, each.Value.Bias }).OfType<Parameter>(),
    ];

    /// <summary>The words of a cluster.</summary>
    /// <param name="cluster">0 to <see cref="ClusterCount"/> - 1.</param>
    /// <returns>Their numbers.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such cluster.</exception>
    public IReadOnlyList<int> WordsOf(int cluster) => Array.AsReadOnly(_words[Check(cluster)]);

    /// <inheritdoc/>
    public override Expression NegLogSoftmax(Expression h, int index, bool update = true)
    {
        (int cluster, int place) = Place(index);
        Expression loss = Ops.PickNegLogSoftmax(ClassLogits(h, update), cluster);
        return _inCluster[cluster] is null
            ? loss
            : loss + Ops.PickNegLogSoftmax(SubclassLogits(h, cluster, update), place);
    }

    /// <inheritdoc/>
    public override Expression FullLogDistribution(Expression h, bool update = true)
    {
        Expression clusters = ClassLogDistribution(h, update);
        var all = new Expression[_places.Length];
        Array.Fill(all, h.Graph.Constant([1], LogOfNothing));
        for (int cluster = 0; cluster < _words.Length; cluster++)
        {
            int[] words = _words[cluster];
            Expression ofCluster = Ops.Pick(clusters, cluster);
            if (words.Length == 1)
            {
                all[words[0]] = ofCluster;
                continue;
            }
            Expression logs = SubclassLogDistribution(h, cluster, update) + ofCluster;
            for (int i = 0; i < words.Length; i++)
                all[words[i]] = Ops.Pick(logs, i);
        }
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

    /// <summary>The logarithms of the probabilities of the clusters.</summary>
    /// <param name="h">{input}</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{clusters}.</returns>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="ArgumentException">h is a parameter, which names no graph.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public Expression ClassLogDistribution(Expression h, bool update = true) =>
        Ops.LogSoftmax(ClassLogits(h, update));

    /// <summary>Scores of the clusters whose softmax their probabilities are.</summary>
    /// <param name="h">{input}</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{clusters}.</returns>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="ArgumentException">h is a parameter, which names no graph.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public Expression ClassLogits(Expression h, bool update = true) =>
        Scores(_clusters.Weights, _clusters.Bias, Checked(h), update);

    /// <summary>The logarithms of the probabilities of a cluster's words within it.</summary>
    /// <param name="h">{input}</param>
    /// <param name="cluster">0 to <see cref="ClusterCount"/> - 1.</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{words}, in the order of <see cref="WordsOf"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such cluster.</exception>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="ArgumentException">h is a parameter, which names no graph.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public Expression SubclassLogDistribution(Expression h, int cluster, bool update = true) =>
        Ops.LogSoftmax(SubclassLogits(h, cluster, update));

    /// <summary>Scores of a cluster's words whose softmax their probabilities within it are.</summary>
    /// <param name="h">{input}</param>
    /// <param name="cluster">0 to <see cref="ClusterCount"/> - 1.</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{words}, in the order of <see cref="WordsOf"/>; zero for a cluster of one word.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such cluster.</exception>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="ArgumentException">h is a parameter, which names no graph.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public Expression SubclassLogits(Expression h, int cluster, bool update = true)
    {
        h = Checked(h);
        return _inCluster[Check(cluster)] is var (weights, bias)
            ? Scores(weights, bias, h, update)
            : h.Graph.Constant(Dim.Of(1).WithBatch(h.Dim.Batch), 0);
    }

    /// <inheritdoc/>
    private protected override Expression NegLogSoftmaxOfBatch(
        Expression h, ReadOnlySpan<int> indices, bool update) => NegLogSoftmaxOfEach(h, indices, update);

    /// <inheritdoc/>
    private protected override bool HasClassesOf(SoftmaxBuilder other)
    {
        int[][] words = ((ClassFactoredSoftmaxBuilder)other)._words;
        return words.Length == _words.Length && words.Zip(_words).All(pair => pair.First.SequenceEqual(pair.Second));
    }

    /// <inheritdoc/>
    private protected override int SampleOf(Expression h)
    {
        int cluster = ClassLogits(h).Sample();
        int[] words = _words[cluster];
        return words[words.Length == 1 ? 0 : SubclassLogits(h, cluster).Sample()];
    }

    private static (int[][] Words, (int Cluster, int Place)[] Places) Read(string path, Dict words)
    {
        var clusters = new Dict();
        var members = new List<List<int>>();
        var places = new List<(int Cluster, int Place)>();
        int line = 0;
        foreach ((string name, int word) in ClusterFile.ReadClasses(path, words))
        {
            line++;
            int cluster = clusters.Convert(name);
            if (cluster == members.Count)
                members.Add([]);
            while (places.Count <= word)
                places.Add((-1, -1));
            if (places[word].Cluster >= 0)
                throw ClusterFile.Damaged(path, line, $"the word {words.Convert(word)} has a cluster already");
            places[word] = (cluster, members[cluster].Count);
            members[cluster].Add(word);
        }
        return ([.. members.Select(member => member.ToArray())], [.. places]);
    }

    private (int Cluster, int Place) Place(int index) =>
        (uint)index < (uint)_places.Length && _places[index].Cluster >= 0
            ? _places[index]
            : throw new ArgumentOutOfRangeException(nameof(index), index, "The word is in no cluster.");

    private int Check(int cluster) => (uint)cluster < (uint)_words.Length
        ? cluster
        : throw new ArgumentOutOfRangeException(nameof(cluster), cluster, $"There are {_words.Length} clusters.");
}
