namespace DynNet.Native;

/// <summary>
/// Attention with several heads (Vaswani et al. 2017): queries, keys and values are multiplied by a matrix each, every
/// head attends in its slice of the rows, and the results are multiplied by a matrix in the end. <see
/// cref="Attend(Expression, bool, bool)"/> is self-attention; the overloads with a memory are cross-attention, of keys
/// and values that are the same or not.
/// </summary>
/// <remarks>
/// It keeps nothing about a graph, so graphs in any number of threads may use it at once. Its parameters are in a
/// sub-collection <c>multi-head-attention-builder</c>: Wq, Wk, Wv, all of as many rows as the model's size, and Wo; then,
/// if there are biases, bq, bk, bv and bo, which are added after each product and 0 at first.
/// </remarks>
public sealed class MultiHeadAttentionBuilder
{
    /// <summary>The numbers of the matrices among the parameters; a bias has the same behind all matrices.</summary>
    private const int Query = 0, Key = 1, Value = 2, Output = 3, Matrices = 4;

    private readonly Parameter[] _parameters;
    private double _outputDropout;
    private double _attentionDropout;

    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="heads">The number of heads, at least 1.</param>
    /// <param name="dim">The size of an input and of an output, a multiple of <paramref name="heads"/>.</param>
    /// <param name="keyDim">
    /// The size of what keys are made of, in cross-attention a column of the memory; 0 for <paramref name="dim"/>.
    /// </param>
    /// <param name="valueDim">The size of what values are made of; 0 for that of keys.</param>
    /// <param name="bias">
    /// Whether there are biases. PyTorch has them unless told otherwise; here there are none, so that files of models
    /// that were saved before there was a choice can be read.
    /// </param>
    /// <remarks>
    /// Must not run beside anything else that uses the model, which is as before if this fails.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    /// <exception cref="ArgumentException">The size is no multiple of the heads.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public MultiHeadAttentionBuilder(
        Model model, int heads, int dim, int keyDim = 0, int valueDim = 0, bool bias = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(dim, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(keyDim);
        ArgumentOutOfRangeException.ThrowIfNegative(valueDim);
        if (dim % heads != 0)
            throw new ArgumentException($"The size {dim} is no multiple of {heads} heads.", nameof(dim));
        Heads = heads;
        Dim = dim;
        KeyDim = keyDim == 0 ? dim : keyDim;
        ValueDim = valueDim == 0 ? KeyDim : valueDim;
        _parameters = model.AllOrNothing(() =>
        {
            using Model own = model.AddSubcollection("multi-head-attention-builder");
            Parameter Matrix(string name, int columns) => own.AddParameters([dim, columns], name: name);
            Parameter Bias(string name) => own.AddParameters([dim], Initializer.Constant(0), name);

            Parameter[] matrices =
                [Matrix("Wq", dim), Matrix("Wk", KeyDim), Matrix("Wv", ValueDim), Matrix("Wo", dim)];
            return bias ? [.. matrices, Bias("bq"), Bias("bk"), Bias("bv"), Bias("bo")] : matrices;
        });
        Parameters = Array.AsReadOnly(_parameters);
    }

    /// <summary>The number of heads.</summary>
    public int Heads { get; }

    /// <summary>The size of an input and of an output.</summary>
    public int Dim { get; }

    /// <summary>The size of what keys are made of: in cross-attention that of a column of the memory.</summary>
    public int KeyDim { get; }

    /// <summary>The size of what values are made of.</summary>
    public int ValueDim { get; }

    /// <summary>Whether there are biases.</summary>
    public bool HasBiases => _parameters.Length > Matrices;

    /// <summary>The parameters: Wq, Wk, Wv and Wo, then bq, bk, bv and bo if there are biases.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>
    /// The rate of dropout of the weights of attention, for training: 0 or more and less than 1; 0 at first. Each weight
    /// of a head is 0 with that probability, as <see cref="Ops.Dropout(Expression, double)"/> does it. It is PyTorch's
    /// <c>dropout</c>.
    /// </summary>
    /// <remarks>Must not be set beside a thread that uses the builder.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The rate is out of its range.</exception>
    public double AttentionDropout
    {
        get => _attentionDropout;
        set => _attentionDropout = CheckedRate(value);
    }

    /// <summary>The rate of dropout on the output, for training: 0 or more and less than 1; 0 at first.</summary>
    /// <remarks>Must not be set beside a thread that uses the builder.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The rate is out of its range.</exception>
    public double OutputDropout
    {
        get => _outputDropout;
        set => _outputDropout = CheckedRate(value);
    }

    /// <summary>Self-attention: each column attends to all columns.</summary>
    /// <param name="x">The inputs, {dim, n}.</param>
    /// <param name="causal">Whether a column attends only to itself and those before it.</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{dim, n}.</returns>
    /// <exception cref="ArgumentException">The input is a parameter, which names no graph.</exception>
    /// <exception cref="ShapeMismatchException">The input has another size.</exception>
    /// <exception cref="StaleExpressionException">The input is stale.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public Expression Attend(Expression x, bool causal = false, bool update = true) =>
        Attend(x, x, x, null, causal, update);

    /// <summary>Cross-attention: each column of the inputs attends to all columns of a memory.</summary>
    /// <param name="x">The inputs, {dim, m}.</param>
    /// <param name="memory">What they attend to, {keyDim, n}, where values have the size of keys.</param>
    /// <param name="causal">Whether input i attends to columns 0 to i + n - m only.</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{dim, m}.</returns>
    /// <exception cref="ArgumentException">The input is a parameter, which names no graph.</exception>
    /// <exception cref="ShapeMismatchException">An operand has another size.</exception>
    /// <exception cref="StaleExpressionException">An operand is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public Expression Attend(Expression x, Expression memory, bool causal = false, bool update = true) =>
        Attend(x, memory, memory, null, causal, update);

    /// <summary>Attention with keys and values of their own.</summary>
    /// <param name="queries">The inputs, {dim, m}.</param>
    /// <param name="keys">What they look at, {keyDim, n}.</param>
    /// <param name="values">What they get, {valueDim, n}.</param>
    /// <param name="causal">Whether input i attends to columns 0 to i + n - m only.</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{dim, m}.</returns>
    /// <exception cref="ArgumentException">The input is a parameter, which names no graph.</exception>
    /// <exception cref="ShapeMismatchException">An operand has another size.</exception>
    /// <exception cref="StaleExpressionException">An operand is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public Expression Attend(
        Expression queries, Expression keys, Expression values, bool causal = false, bool update = true) =>
        Attend(queries, keys, values, null, causal, update);

    /// <summary>Attention with a mask, which is added to the scores.</summary>
    /// <param name="queries">The inputs, {dim, m}.</param>
    /// <param name="keys">What they look at, {keyDim, n}; the queries for self-attention.</param>
    /// <param name="values">What they get, {valueDim, n}; the keys where both are the same.</param>
    /// <param name="mask">
    /// {n, m, heads}, where a size of 1 stands for all, such as {n} or {n, m}: 0 where a column is seen, minus infinity
    /// where it is not, or any number in between; null for none.
    /// </param>
    /// <param name="causal">Whether input i attends to columns 0 to i + n - m only.</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{dim, m}.</returns>
    /// <exception cref="ArgumentException">The input is a parameter, which names no graph.</exception>
    /// <exception cref="ShapeMismatchException">An operand has another size.</exception>
    /// <exception cref="StaleExpressionException">An operand is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public Expression Attend(
        Expression queries, Expression keys, Expression values, Expression? mask, bool causal = false,
        bool update = true)
    {
        LayerParameters p = Of(queries, update);
        Expression q = Projected(p, Query, queries), k = Projected(p, Key, Bound(queries, keys));
        Expression v = Projected(p, Value, Bound(queries, values));
        Expression heads = mask is { } added
            ? Ops.MultiHeadAttention(q, k, v, added, Heads, causal, _attentionDropout)
            : Ops.MultiHeadAttention(q, k, v, Heads, causal, _attentionDropout);
        Expression y = Projected(p, Output, heads);
        return _outputDropout > 0 ? Ops.Dropout(y, _outputDropout) : y;
    }

    /// <summary>
    /// The weights that each head gives to the keys, before dropout. PyTorch's are the mean of all heads, which is
    /// <c>Ops.MeanDim(weights, [2])</c>.
    /// </summary>
    /// <param name="queries">The inputs, {dim, m}.</param>
    /// <param name="keys">What they look at, {keyDim, n}; the inputs for self-attention.</param>
    /// <param name="mask">As for <see cref="Attend(Expression, Expression, Expression, Expression?, bool, bool)"/>; null for none.
    /// </param>
    /// <param name="causal">Whether input i attends to columns 0 to i + n - m only.</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{n, m, heads}; the weights of an input add up to 1, or are 0 if it sees no key.</returns>
    /// <exception cref="ArgumentException">The input is a parameter, which names no graph.</exception>
    /// <exception cref="ShapeMismatchException">An operand has another size.</exception>
    /// <exception cref="StaleExpressionException">An operand is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public Expression Weights(
        Expression queries, Expression keys, Expression? mask = null, bool causal = false, bool update = true)
    {
        LayerParameters p = Of(queries, update);
        Expression q = Projected(p, Query, queries), k = Projected(p, Key, Bound(queries, keys));
        return mask is { } added
            ? Ops.AttentionWeights(q, k, added, Heads, causal)
            : Ops.AttentionWeights(q, k, Heads, causal);
    }

    /// <summary>Gives this builder's parameters the values of another's.</summary>
    /// <param name="other">A builder of the same sizes, and as many heads, with biases if this one has them.</param>
    /// <remarks>
    /// The values are copied; each builder trains its own afterwards. Must not run beside anything else that uses the
    /// models.
    /// </remarks>
    /// <exception cref="ArgumentException">The other has other sizes, heads or biases.</exception>
    /// <exception cref="ObjectDisposedException">A model is disposed.</exception>
    public void CopyFrom(MultiHeadAttentionBuilder other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Heads != Heads)
            throw new ArgumentException($"The other has {other.Heads} heads, this one {Heads}.", nameof(other));
        ParameterLists.Copy([.. other.Parameters], [.. Parameters]);
    }

    private static double CheckedRate(double value) => value is >= 0 and < 1
        ? value
        : throw new ArgumentOutOfRangeException(nameof(value), value, "A rate is 0 or more and less than 1.");

    /// <summary>An operand that may be a parameter, in the graph of an input.</summary>
    private static Expression Bound(Expression x, Expression operand) => new(x.Graph, x.Graph.Bind(operand));

    /// <summary>The parameters as operands in the graph of an input.</summary>
    private LayerParameters Of(Expression x, bool update) => new(x.Graph, _parameters, areConstant: !update);

    private Expression Projected(LayerParameters p, int matrix, Expression x) =>
        HasBiases ? Ops.AffineTransform(p[Matrices + matrix], p[matrix], x) : p[matrix] * x;
}
