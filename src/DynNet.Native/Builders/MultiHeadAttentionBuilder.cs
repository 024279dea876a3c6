namespace DynNet.Native;

/// <summary>
/// Attention with several heads (Vaswani et al. 2017): queries, keys and values are multiplied by a matrix each, every
/// head attends in its slice of the rows, and the results are multiplied by a matrix in the end. <see
/// cref="Attend(Expression, bool, bool)"/> is self-attention; the overloads with a memory are cross-attention.
/// </summary>
/// <remarks>
/// It keeps nothing about a graph, so graphs in any number of threads may use it at once. Its parameters are in a
/// sub-collection <c>multi-head-attention-builder</c>: Wq, Wk, Wv, all of as many rows as the model's size, and Wo.
/// </remarks>
public sealed class MultiHeadAttentionBuilder
{
    private readonly Parameter[] _parameters;
    private double _dropout;

    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="heads">The number of heads, at least 1.</param>
    /// <param name="dim">The size of an input and of an output, a multiple of <paramref name="heads"/>.</param>
    /// <param name="memoryDim">The size of what cross-attention attends to; 0 for <paramref name="dim"/>.</param>
    /// <remarks>
    /// Must not run beside anything else that uses the model, which is as before if this fails.
    /// </remarks>
    /// <exception cref="ArgumentException">A size is out of its range, or no multiple of the heads.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public MultiHeadAttentionBuilder(Model model, int heads, int dim, int memoryDim = 0)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(dim, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(memoryDim);
        if (dim % heads != 0)
            throw new ArgumentException($"The size {dim} is no multiple of {heads} heads.", nameof(dim));
        Heads = heads;
        Dim = dim;
        MemoryDim = memoryDim == 0 ? dim : memoryDim;
        _parameters = model.AllOrNothing(() =>
        {
            using Model own = model.AddSubcollection("multi-head-attention-builder");
            return (Parameter[])
            [
                own.AddParameters([dim, dim], name: "Wq"), own.AddParameters([dim, MemoryDim], name: "Wk"),
                own.AddParameters([dim, MemoryDim], name: "Wv"), own.AddParameters([dim, dim], name: "Wo"),
            ];
        });
        Parameters = Array.AsReadOnly(_parameters);
    }

    /// <summary>The number of heads.</summary>
    public int Heads { get; }

    /// <summary>The size of an input and of an output.</summary>
    public int Dim { get; }

    /// <summary>The size of what cross-attention attends to.</summary>
    public int MemoryDim { get; }

    /// <summary>The parameters: Wq, Wk, Wv and Wo.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The rate of dropout on the output, for training: 0 or more and less than 1; 0 at first.</summary>
    /// <remarks>Must not be set beside a thread that uses the builder.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The rate is out of its range.</exception>
    public double Dropout
    {
        get => _dropout;
        set
        {
            if (value is not (>= 0 and < 1))
                throw new ArgumentOutOfRangeException(nameof(value), value, "A rate is 0 or more and less than 1.");
            _dropout = value;
        }
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
        Attend(x, x, causal, update);

    /// <summary>Cross-attention: each column of the inputs attends to all columns of a memory.</summary>
    /// <param name="x">The inputs, {dim, m}.</param>
    /// <param name="memory">What they attend to, {memoryDim, n}.</param>
    /// <param name="causal">Whether input i attends to columns 0 to i + n - m only.</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{dim, m}.</returns>
    /// <exception cref="ArgumentException">The input is a parameter, which names no graph.</exception>
    /// <exception cref="ShapeMismatchException">An operand has another size.</exception>
    /// <exception cref="StaleExpressionException">An operand is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public Expression Attend(Expression x, Expression memory, bool causal = false, bool update = true)
    {
        LayerParameters p = Of(x, update);
        memory = new Expression(x.Graph, x.Graph.Bind(memory));
        return Output(p, Ops.MultiHeadAttention(p[0] * x, p[1] * memory, p[2] * memory, Heads, causal));
    }

    /// <summary>Attention with a mask, which is added to the scores of all heads.</summary>
    /// <param name="x">The inputs, {dim, m}.</param>
    /// <param name="memory">What they attend to, {memoryDim, n}; <paramref name="x"/> for self-attention.</param>
    /// <param name="mask">{n, m}, or {n} for all inputs: 0 where a column is seen, minus infinity where it is not.
    /// </param>
    /// <param name="causal">Whether input i attends to columns 0 to i + n - m only.</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{dim, m}.</returns>
    /// <exception cref="ArgumentException">The input is a parameter, which names no graph.</exception>
    /// <exception cref="ShapeMismatchException">An operand has another size.</exception>
    /// <exception cref="StaleExpressionException">An operand is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public Expression Attend(
        Expression x, Expression memory, Expression mask, bool causal = false, bool update = true)
    {
        LayerParameters p = Of(x, update);
        memory = new Expression(x.Graph, x.Graph.Bind(memory));
        return Output(p, Ops.MultiHeadAttention(p[0] * x, p[1] * memory, p[2] * memory, mask, Heads, causal));
    }

    /// <summary>Gives this builder's parameters the values of another's.</summary>
    /// <param name="other">A builder of the same sizes, and as many heads.</param>
    /// <remarks>
    /// The values are copied; each builder trains its own afterwards. Must not run beside anything else that uses the
    /// models.
    /// </remarks>
    /// <exception cref="ArgumentException">The other has other sizes or heads.</exception>
    /// <exception cref="ObjectDisposedException">A model is disposed.</exception>
    public void CopyFrom(MultiHeadAttentionBuilder other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Heads != Heads)
            throw new ArgumentException($"The other has {other.Heads} heads, this one {Heads}.", nameof(other));
        ParameterLists.Copy([.. other.Parameters], [.. Parameters]);
    }

    /// <summary>The parameters as operands in the graph of an input.</summary>
    private LayerParameters Of(Expression x, bool update) => new(x.Graph, _parameters, areConstant: !update);

    private Expression Output(LayerParameters p, Expression heads)
    {
        Expression y = p[3] * heads;
        return _dropout > 0 ? Ops.Dropout(y, _dropout) : y;
    }
}
