using DynNet.Native.Interop;

namespace DynNet.Native;

// Choices that are read off a value where it lies.
public readonly partial struct Expression
{
    /// <summary>The index of the largest element of a vector, of equal ones the first.</summary>
    /// <returns>0 to n - 1.</returns>
    /// <remarks>
    /// The value is computed if it was not yet. NaN comes after all numbers. Not to be confused with <c>Ops.ArgMax</c>,
    /// which is an operation.
    /// </remarks>
    /// <exception cref="ShapeMismatchException">It is no vector {n} without a batch.</exception>
    /// <exception cref="ArgumentException">It is a parameter that no graph has taken up yet.</exception>
    /// <exception cref="InvalidOperationException">As for <see cref="AsSpan"/>.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    public int ArgMax()
    {
        CheckVector(nameof(ArgMax));
        int index = 0;
        TopK(0, 1, new Span<int>(ref index));
        return index;
    }

    /// <summary>The index of the largest element along a dimension, for each place in the others.</summary>
    /// <param name="dim">Which dimension, 0 to 6.</param>
    /// <returns>The indices, column-major, batch included: as many as <see cref="Dim"/> has elements with a size of 1
    /// there.</returns>
    /// <remarks>The value is computed if it was not yet. NaN comes after all numbers.</remarks>
    /// <exception cref="ArgumentException">
    /// There is no such dimension; or the expression is a parameter that no graph has taken up yet.
    /// </exception>
    /// <exception cref="InvalidOperationException">As for <see cref="AsSpan"/>.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    public int[] ArgMax(int dim) => TopK(1, dim);

    /// <summary>The indices of the k largest elements along a dimension, the largest first, of equal ones the first.
    /// </summary>
    /// <param name="k">1 to the dimension's size.</param>
    /// <param name="dim">Which dimension, 0 to 6.</param>
    /// <returns>The indices, column-major, batch included: a tensor of the expression's shape with k in that dimension.
    /// </returns>
    /// <remarks>The value is computed if it was not yet. NaN comes after all numbers.</remarks>
    /// <exception cref="ArgumentException">
    /// A number is out of its range; or the expression is a parameter that no graph has taken up yet.
    /// </exception>
    /// <exception cref="InvalidOperationException">As for <see cref="AsSpan"/>.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    public int[] TopK(int k, int dim = 0)
    {
        int[] indices = new int[Choices(dim, k, most: Dim[Math.Clamp(dim, 0, DynNet.Native.Dim.MaxRank - 1)])];
        TopK(dim, k, indices);
        return indices;
    }

    /// <summary>Draws an index from the distribution whose logarithms this vector is.</summary>
    /// <returns>0 to n - 1.</returns>
    /// <remarks>As <see cref="Sample(int, int)"/>.</remarks>
    /// <exception cref="ShapeMismatchException">It is no vector {n} without a batch.</exception>
    /// <exception cref="ArgumentException">It is a parameter that no graph has taken up yet.</exception>
    /// <exception cref="NotFiniteNumberException">As for <see cref="Sample(int, int)"/>.</exception>
    /// <exception cref="InvalidOperationException">As for <see cref="AsSpan"/>.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    public int Sample()
    {
        CheckVector(nameof(Sample));
        int index = 0;
        Sample(0, 1, new Span<int>(ref index));
        return index;
    }

    /// <summary>
    /// Draws indices from the distribution that each line along a dimension is the logarithm of, such as a log softmax.
    /// </summary>
    /// <param name="draws">How many for each line, at least 1.</param>
    /// <param name="dim">Along which dimension, 0 to 6.</param>
    /// <returns>The indices, column-major, batch included: a tensor of the expression's shape with <paramref name="draws"/>
    /// in that dimension.</returns>
    /// <remarks>
    /// The logarithms need not be normalised; minus infinity is never drawn. The value is computed if it was not yet. What
    /// is drawn follows from the graph's seed, the node, and how often was drawn since <see
    /// cref="ComputationGraph.Renew"/>.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// A number is out of its range; or the expression is a parameter that no graph has taken up yet.
    /// </exception>
    /// <exception cref="NotFiniteNumberException">
    /// A line has NaN or plus infinity, or nothing but minus infinity.
    /// </exception>
    /// <exception cref="InvalidOperationException">As for <see cref="AsSpan"/>.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    public int[] Sample(int draws, int dim = 0)
    {
        int[] indices = new int[Choices(dim, draws, most: Array.MaxLength)];
        Sample(dim, draws, indices);
        return indices;
    }

    private void TopK(int dim, int k, Span<int> indices)
    {
        ComputationGraph graph = Graph;
        GraphCalls.TopK(graph.Pointer, Native, dim, k, indices);
        GC.KeepAlive(graph);
    }

    private void Sample(int dim, int draws, Span<int> indices)
    {
        ComputationGraph graph = Graph;
        GraphCalls.Sample(graph.Pointer, Native, dim, draws, indices);
        GC.KeepAlive(graph);
    }

    /// <summary>How many indices there are; 0, which the native side refuses, where a number is out of its range.</summary>
    private int Choices(int dim, int each, int most)
    {
        Dim shape = Dim;
        if ((uint)dim >= DynNet.Native.Dim.MaxRank || each < 1 || each > most)
            return 0;
        long lines = shape.Size / shape[dim];
        return lines <= Array.MaxLength / each
            ? (int)(lines * each)
            : throw new ArgumentException(
                $"{each} indices for each of {lines} lines of {shape} are more than an array can hold.");
    }

    private void CheckVector(string what)
    {
        Dim shape = Dim;
        if (shape.Size != shape.Rows)
            throw new ShapeMismatchException($"{what}: the expression ({this}) has shape {shape}, expected a vector.");
    }
}
