namespace DynNet.Native;

/// <summary>
/// The last layer of a classifier: from a vector h a probability for each of many words or classes. DyNet's
/// <c>SoftmaxBuilder</c>.
/// </summary>
/// <remarks>
/// It keeps nothing about a graph, so graphs in any number of threads may use it at once. Names, shapes, order and
/// first values of the parameters are DyNet's, whose files <see cref="Model.Populate(string, string)"/> reads.
/// </remarks>
public abstract class SoftmaxBuilder
{
    private protected SoftmaxBuilder(int inputDim)
    {
        if (inputDim < 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(inputDim), inputDim, $"{GetType().Name}: h of {inputDim}: it must be at least 1.");
        }
        InputDim = inputDim;
    }

    /// <summary>The size of h.</summary>
    public int InputDim { get; }

    /// <summary>The number of classes: one more than the largest number of a class.</summary>
    public abstract int ClassCount { get; }

    /// <summary>The parameters, in the order of their creation.</summary>
    public abstract IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The negative logarithm of the probability of a class.</summary>
    /// <param name="h">{input}</param>
    /// <param name="index">The class.</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{1}, for each batch element of h.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="ArgumentException">h is a parameter, which names no graph.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public abstract Expression NegLogSoftmax(Expression h, int index, bool update = true);

    /// <summary>The negative logarithm of the probability of a class of its own for each batch element.</summary>
    /// <param name="h">{input}, with as many batch elements as there are classes.</param>
    /// <param name="indices">The classes.</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{1}, for each batch element.</returns>
    /// <exception cref="ArgumentException">
    /// There are more or fewer classes than batch elements, or h is a parameter, which names no graph.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public Expression NegLogSoftmax(Expression h, ReadOnlySpan<int> indices, bool update = true)
    {
        h = Checked(h);
        int batch = h.Dim.Batch;
        if (batch != indices.Length)
        {
            throw new ArgumentException(
                $"{GetType().Name}: {indices.Length} classes for {batch} batch elements.", nameof(indices));
        }
        return NegLogSoftmaxOfBatch(h, indices, update);
    }

    /// <summary>Draws a class from the distribution.</summary>
    /// <param name="h">{input}, without a batch; what it depends on is computed.</param>
    /// <returns>The class.</returns>
    /// <remarks>
    /// Choices are drawn as by <see cref="Expression.Sample()"/>: what is drawn follows from the graph's seed and from
    /// what was recorded and drawn before.
    /// </remarks>
    /// <exception cref="ArgumentException">h has a batch, or is a parameter.</exception>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="NotFiniteNumberException">The scores have NaN or plus infinity in them.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public int Sample(Expression h)
    {
        h = Checked(h);
        int batch = h.Dim.Batch;
        return batch == 1
            ? SampleOf(h)
            : throw new ArgumentException($"{GetType().Name}: no class is drawn for a batch of {batch}.", nameof(h));
    }

    /// <summary>The logarithms of the probabilities of all classes.</summary>
    /// <param name="h">{input}</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{classes}.</returns>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="ArgumentException">h is a parameter, which names no graph.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public abstract Expression FullLogDistribution(Expression h, bool update = true);

    /// <summary>Scores of all classes whose softmax the probabilities are.</summary>
    /// <param name="h">{input}</param>
    /// <param name="update">Whether gradients flow into the parameters; otherwise they are constants.</param>
    /// <returns>{classes}.</returns>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="ArgumentException">h is a parameter, which names no graph.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public abstract Expression FullLogits(Expression h, bool update = true);

    /// <summary>Gives this builder's parameters the values of another's.</summary>
    /// <param name="other">A builder of the same kind, of the same sizes and classes.</param>
    /// <remarks>
    /// The values are copied; each builder trains its own afterwards. Must not run beside anything else that uses the
    /// models.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The other is of another kind, its parameters of other shapes, or its classes in other clusters.
    /// </exception>
    /// <exception cref="ObjectDisposedException">A model is disposed.</exception>
    public void CopyFrom(SoftmaxBuilder other)
    {
        ParameterLists.CheckKind(other, this);
        if (!HasClassesOf(other))
            throw new ArgumentException("The other's classes are in other clusters.", nameof(other));
        ParameterLists.Copy([.. other.Parameters], [.. Parameters]);
    }

    /// <summary>b + W h, or W h without a bias.</summary>
    internal static Expression Scores(Parameter weights, Parameter? bias, Expression h, bool update)
    {
        Expression w = Operand(weights);
        return bias is null ? w * h : Ops.AffineTransform(Operand(bias), w, h);

        Expression Operand(Parameter parameter) => update ? parameter : h.Graph.ConstParameter(parameter);
    }

    /// <summary>h, if it has the right size.</summary>
    private protected Expression Checked(Expression h)
    {
        _ = h.Graph;
        Dim dim = h.Dim;
        return dim.Rows == InputDim && dim.BatchElementSize == InputDim
            ? h
            : throw new ShapeMismatchException($"{GetType().Name}: h is {dim}, expected {{{InputDim}}}");
    }

    private protected abstract Expression NegLogSoftmaxOfBatch(
        Expression h, ReadOnlySpan<int> indices, bool update);

    /// <summary>Whether another builder of this kind has its classes in the same clusters.</summary>
    private protected virtual bool HasClassesOf(SoftmaxBuilder other) => true;

    private protected abstract int SampleOf(Expression h);

    /// <summary>The losses of batch elements one by one, in one batch: for where each has weights of its own.</summary>
    private protected Expression NegLogSoftmaxOfEach(Expression h, ReadOnlySpan<int> indices, bool update)
    {
        if (indices.Length == 1)
            return NegLogSoftmax(h, indices[0], update);
        var losses = new Expression[indices.Length];
        for (int i = 0; i < losses.Length; i++)
            losses[i] = NegLogSoftmax(Ops.PickBatchElem(h, i), indices[i], update);
        return Ops.ConcatenateToBatch(losses);
    }
}
