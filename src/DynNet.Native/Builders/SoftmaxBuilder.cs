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
            throw new ArgumentException($"{GetType().Name}: h of {inputDim}: it must be at least 1.", nameof(inputDim));
        InputDim = inputDim;
    }

    /// <summary>The size of h.</summary>
    public int InputDim { get; }

    /// <summary>The number of classes: one more than the largest number of a class.</summary>
    public abstract int ClassesCount { get; }

    /// <summary>The parameters, in the order of their creation.</summary>
    public abstract IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The negative logarithm of the probability of a class.</summary>
    /// <param name="h">{input}</param>
    /// <param name="index">The class.</param>
    /// <returns>{1}, for each batch element of h.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="ArgumentException">h is a parameter, which names no graph.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    public abstract Expression NegLogSoftmax(Expression h, int index);

    /// <summary>The negative logarithm of the probability of a class of its own for each batch element.</summary>
    /// <param name="h">{input}, with as many batch elements as there are classes.</param>
    /// <param name="indices">The classes.</param>
    /// <returns>{1}, for each batch element.</returns>
    /// <exception cref="ArgumentException">There are more or fewer classes than batch elements.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    public Expression NegLogSoftmax(Expression h, ReadOnlySpan<int> indices)
    {
        h = Checked(h);
        int batch = h.Dim.Batch;
        if (batch != indices.Length)
        {
            throw new ArgumentException(
                $"{GetType().Name}: {indices.Length} classes for {batch} batch elements.", nameof(indices));
        }
        return NegLogSoftmaxOfBatch(h, indices);
    }

    /// <summary>Draws a class from the distribution.</summary>
    /// <param name="h">{input}, without a batch; what it depends on is computed.</param>
    /// <param name="random">Where the draw comes from; <see cref="Random.Shared"/> if null.</param>
    /// <returns>The class.</returns>
    /// <exception cref="ArgumentException">h has a batch, or is a parameter.</exception>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="NotFiniteNumberException">The scores have NaN or infinity in them.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    public int Sample(Expression h, Random? random = null)
    {
        h = Checked(h);
        int batch = h.Dim.Batch;
        return batch == 1
            ? SampleOf(h, random ?? Random.Shared)
            : throw new ArgumentException($"{GetType().Name}: no class is drawn for a batch of {batch}.", nameof(h));
    }

    /// <summary>The logarithms of the probabilities of all classes.</summary>
    /// <param name="h">{input}</param>
    /// <returns>{classes}.</returns>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="ArgumentException">h is a parameter, which names no graph.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    public abstract Expression FullLogDistribution(Expression h);

    /// <summary>Scores of all classes whose softmax the probabilities are.</summary>
    /// <param name="h">{input}</param>
    /// <returns>{classes}.</returns>
    /// <exception cref="ShapeMismatchException">h has another size.</exception>
    /// <exception cref="ArgumentException">h is a parameter, which names no graph.</exception>
    /// <exception cref="StaleExpressionException">h is stale.</exception>
    public abstract Expression FullLogits(Expression h);

    /// <summary>A class drawn from the softmax of scores {n}.</summary>
    private protected static int Draw(Expression scores, Random random)
    {
        ReadOnlySpan<float> probabilities = Ops.Softmax(scores).AsSpan();
        if (float.IsNaN(probabilities[0]))
            throw new NotFiniteNumberException("No class is drawn: the scores are no distribution.");
        double left = random.NextDouble();
        for (int i = 0; i < probabilities.Length; i++)
        {
            left -= probabilities[i];
            if (left < 0)
                return i;
        }
        // Rounding may leave the sum a little below 1.
        return probabilities.Length - 1;
    }

    /// <summary>b + W h, or W h without a bias.</summary>
    private protected static Expression Scores(Parameter weights, Parameter? bias, Expression h) =>
        bias is null ? weights * h : Ops.AffineTransform(bias, weights, h);

    /// <summary>h, if it has the right size.</summary>
    private protected Expression Checked(Expression h)
    {
        _ = h.Graph;
        Dim dim = h.Dim;
        return dim.Rows == InputDim && dim.BatchElementSize == InputDim
            ? h
            : throw new ShapeMismatchException($"{GetType().Name}: h is {dim}, expected {{{InputDim}}}");
    }

    private protected abstract Expression NegLogSoftmaxOfBatch(Expression h, ReadOnlySpan<int> indices);

    private protected abstract int SampleOf(Expression h, Random random);

    /// <summary>The losses of batch elements one by one, in one batch: for where each has weights of its own.</summary>
    private protected Expression NegLogSoftmaxOfEach(Expression h, ReadOnlySpan<int> indices)
    {
        if (indices.Length == 1)
            return NegLogSoftmax(h, indices[0]);
        var losses = new Expression[indices.Length];
        for (int i = 0; i < losses.Length; i++)
            losses[i] = NegLogSoftmax(Ops.PickBatchElem(h, i), indices[i]);
        return Ops.ConcatenateToBatch(losses);
    }
}
