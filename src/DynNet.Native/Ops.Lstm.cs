using DynNet.Native.Interop;

namespace DynNet.Native;

// The forms of the LSTM's gates that are made of other operations: concatenation, products with masks, and noise cost
// little beside the products, and batch like everything else.
public static unsafe partial class Ops
{
    /// <summary>The gates of an LSTM cell whose weights have Gaussian noise added, drawn anew for each step.</summary>
    /// <param name="x">{input}.</param>
    /// <param name="h">{n}.</param>
    /// <param name="wx">{4n, input}.</param>
    /// <param name="wh">{4n, n}.</param>
    /// <param name="b">{4n}.</param>
    /// <param name="weightNoise">The standard deviation of the noise, 0 or more; 0 is none.</param>
    /// <returns>{4n}, in the order i, f, o, g, as by <see
    /// cref="VanillaLstmGates(Expression, Expression, Expression, Expression, Expression)"/>.</returns>
    /// <remarks>Steps with noise have weights of their own, so that they do not batch over examples.</remarks>
    /// <exception cref="ArgumentException">The noise is negative, or no operand names a graph.</exception>
    /// <exception cref="ShapeMismatchException">The shapes do not fit.</exception>
    /// <exception cref="StaleExpressionException">An operand is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression VanillaLstmGates(
        Expression x, Expression h, Expression wx, Expression wh, Expression b, double weightNoise)
    {
        if (weightNoise == 0)
            return VanillaLstmGates(x, h, wx, wh, b);
        ComputationGraph graph = ComputationGraph.Of([x, h, wx, wh, b]);
        return VanillaLstmGates(x, h, Noisy(wx), Noisy(wh), Noisy(b));

        Expression Noisy(Expression weight) => WeightNoise.Added(graph, weight, weightNoise);
    }

    /// <summary>The gates of an LSTM cell whose input is given in parts.</summary>
    /// <param name="xs">The parts, at least one; the sum of their sizes is {input}.</param>
    /// <param name="h">{n}.</param>
    /// <param name="wx">{4n, input}.</param>
    /// <param name="wh">{4n, n}.</param>
    /// <param name="b">{4n}.</param>
    /// <param name="weightNoise">The standard deviation of noise on the weights, 0 or more; 0 is none.</param>
    /// <returns>{4n}, in the order i, f, o, g.</returns>
    /// <exception cref="ArgumentException">There are no parts, the noise is negative, or no operand names a graph.
    /// </exception>
    /// <exception cref="ShapeMismatchException">The shapes do not fit.</exception>
    /// <exception cref="StaleExpressionException">An operand is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression VanillaLstmGatesConcat(
        ReadOnlySpan<Expression> xs, Expression h, Expression wx, Expression wh, Expression b, double weightNoise = 0) =>
        VanillaLstmGates(Joined(xs, [h, wx, wh, b]), h, wx, wh, b, weightNoise);

    /// <inheritdoc cref="VanillaLstmGatesConcat(ReadOnlySpan{Expression}, Expression, Expression, Expression,
    /// Expression, double)"/>
    public static Expression VanillaLstmGatesConcat(
        IEnumerable<Expression> xs, Expression h, Expression wx, Expression wh, Expression b, double weightNoise = 0) =>
        VanillaLstmGatesConcat(Operands.Span(xs), h, wx, wh, b, weightNoise);

    /// <summary>The gates of an LSTM cell whose input and last output are multiplied by dropout masks first.</summary>
    /// <param name="x">{input}.</param>
    /// <param name="h">{n}.</param>
    /// <param name="wx">{4n, input}.</param>
    /// <param name="wh">{4n, n}.</param>
    /// <param name="b">{4n}.</param>
    /// <param name="dropoutMaskX">{input}: 0, or 1 / (1 - rate).</param>
    /// <param name="dropoutMaskH">{n}, likewise.</param>
    /// <param name="weightNoise">The standard deviation of noise on the weights, 0 or more; 0 is none.</param>
    /// <returns>{4n}, in the order i, f, o, g.</returns>
    /// <exception cref="ArgumentException">The noise is negative, or no operand names a graph.</exception>
    /// <exception cref="ShapeMismatchException">The shapes do not fit.</exception>
    /// <exception cref="StaleExpressionException">An operand is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression VanillaLstmGatesDropout(
        Expression x, Expression h, Expression wx, Expression wh, Expression b, Expression dropoutMaskX,
        Expression dropoutMaskH, double weightNoise = 0)
    {
        ComputationGraph graph = ComputationGraph.Of([x, h, wx, wh, b, dropoutMaskX, dropoutMaskH]);
        return VanillaLstmGates(
            CMult(graph.Bound(x), dropoutMaskX), CMult(graph.Bound(h), dropoutMaskH), wx, wh, b, weightNoise);
    }

    /// <summary>
    /// The gates of an LSTM cell whose input is given in parts, and whose input and last output are multiplied by dropout
    /// masks first.
    /// </summary>
    /// <param name="xs">The parts, at least one; the sum of their sizes is {input}.</param>
    /// <param name="h">{n}.</param>
    /// <param name="wx">{4n, input}.</param>
    /// <param name="wh">{4n, n}.</param>
    /// <param name="b">{4n}.</param>
    /// <param name="dropoutMaskX">{input}: 0, or 1 / (1 - rate).</param>
    /// <param name="dropoutMaskH">{n}, likewise.</param>
    /// <param name="weightNoise">The standard deviation of noise on the weights, 0 or more; 0 is none.</param>
    /// <returns>{4n}, in the order i, f, o, g.</returns>
    /// <exception cref="ArgumentException">There are no parts, the noise is negative, or no operand names a graph.
    /// </exception>
    /// <exception cref="ShapeMismatchException">The shapes do not fit.</exception>
    /// <exception cref="StaleExpressionException">An operand is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression VanillaLstmGatesDropoutConcat(
        ReadOnlySpan<Expression> xs, Expression h, Expression wx, Expression wh, Expression b, Expression dropoutMaskX,
        Expression dropoutMaskH, double weightNoise = 0) =>
        VanillaLstmGatesDropout(
            Joined(xs, [h, wx, wh, b, dropoutMaskX, dropoutMaskH]),
            h,
            wx,
            wh,
            b,
            dropoutMaskX,
            dropoutMaskH,
            weightNoise);

    /// <inheritdoc cref="VanillaLstmGatesDropoutConcat(ReadOnlySpan{Expression}, Expression, Expression, Expression,
    /// Expression, Expression, Expression, double)"/>
    public static Expression VanillaLstmGatesDropoutConcat(
        IEnumerable<Expression> xs, Expression h, Expression wx, Expression wh, Expression b, Expression dropoutMaskX,
        Expression dropoutMaskH, double weightNoise = 0) =>
        VanillaLstmGatesDropoutConcat(Operands.Span(xs), h, wx, wh, b, dropoutMaskX, dropoutMaskH, weightNoise);

    /// <summary>Parts as one operand, in a graph that one of them names or another operand does.</summary>
    private static Expression Joined(ReadOnlySpan<Expression> parts, ReadOnlySpan<Expression> others)
    {
        foreach (ref readonly Expression part in parts)
        {
            if (part.Owner is ComputationGraph)
                return Concatenate(parts);
        }
        if (parts.IsEmpty)
            return Concatenate(parts);
        Expression[] bound = parts.ToArray();
        bound[0] = ComputationGraph.Of(others).Bound(bound[0]);
        return Concatenate(bound);
    }
}
