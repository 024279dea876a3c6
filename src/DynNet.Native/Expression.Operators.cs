namespace DynNet.Native;

// Operators. Each is an operation of Ops under another name; scalars are of type double, since with a second overload
// for float neither 0.5 * x nor 2 * x would compile.
public readonly partial struct Expression
{
    /// <summary>The sum, element by element, dimensions of size 1 broadcast: <see
    /// cref="Ops.Add(Expression, Expression)"/>.</summary>
    /// <param name="left">One summand.</param>
    /// <param name="right">The other.</param>
    /// <returns>The larger size in each dimension.</returns>
    /// <exception cref="ShapeMismatchException">The shapes do not fit.</exception>
    /// <exception cref="StaleExpressionException">An operand is stale, or of another graph.</exception>
    /// <exception cref="ArgumentException">No operand names a graph: all are parameters.</exception>
    /// <exception cref="ObjectDisposedException">The graph, or the model of a parameter, is disposed.</exception>
    public static Expression operator +(Expression left, Expression right) => Ops.Add(left, right);

    /// <summary>Each element plus a number.</summary>
    /// <param name="left">The expression.</param>
    /// <param name="right">The number.</param>
    /// <returns>The shape of the expression.</returns>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="ArgumentException">The expression is a parameter, which names no graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression operator +(Expression left, double right) => Ops.Add(left, right);

    /// <summary>A number plus each element.</summary>
    /// <param name="left">The number.</param>
    /// <param name="right">The expression.</param>
    /// <returns>The shape of the expression.</returns>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="ArgumentException">The expression is a parameter, which names no graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression operator +(double left, Expression right) => Ops.Add(right, left);

    /// <summary>The difference, element by element, dimensions of size 1 broadcast.</summary>
    /// <param name="left">What is subtracted from.</param>
    /// <param name="right">What is subtracted.</param>
    /// <returns>The larger size in each dimension.</returns>
    /// <exception cref="ShapeMismatchException">The shapes do not fit.</exception>
    /// <exception cref="StaleExpressionException">An operand is stale, or of another graph.</exception>
    /// <exception cref="ArgumentException">No operand names a graph: all are parameters.</exception>
    /// <exception cref="ObjectDisposedException">The graph, or the model of a parameter, is disposed.</exception>
    public static Expression operator -(Expression left, Expression right) => Ops.Subtract(left, right);

    /// <summary>Each element minus a number.</summary>
    /// <param name="left">The expression.</param>
    /// <param name="right">The number.</param>
    /// <returns>The shape of the expression.</returns>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="ArgumentException">The expression is a parameter, which names no graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression operator -(Expression left, double right) => Ops.Add(left, -right);

    /// <summary>A number minus each element.</summary>
    /// <param name="left">The number.</param>
    /// <param name="right">The expression.</param>
    /// <returns>The shape of the expression.</returns>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="ArgumentException">The expression is a parameter, which names no graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression operator -(double left, Expression right) => Ops.SubtractFrom(right, left);

    /// <summary>Each element negated.</summary>
    /// <param name="value">The expression.</param>
    /// <returns>The shape of the expression.</returns>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="ArgumentException">The expression is a parameter, which names no graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression operator -(Expression value) => Ops.Negate(value);

    /// <summary>The matrix product: <see cref="Ops.Multiply(Expression, Expression)"/>. Element by element it is <see
    /// cref="Ops.CMult"/>.</summary>
    /// <param name="left">{m, k}.</param>
    /// <param name="right">{k, n} or {k}.</param>
    /// <returns>{m, n} or {m}.</returns>
    /// <exception cref="ShapeMismatchException">The shapes do not fit.</exception>
    /// <exception cref="StaleExpressionException">An operand is stale, or of another graph.</exception>
    /// <exception cref="ArgumentException">No operand names a graph: all are parameters.</exception>
    /// <exception cref="ObjectDisposedException">The graph, or the model of a parameter, is disposed.</exception>
    public static Expression operator *(Expression left, Expression right) => Ops.Multiply(left, right);

    /// <summary>Each element times a number.</summary>
    /// <param name="left">The expression.</param>
    /// <param name="right">The number.</param>
    /// <returns>The shape of the expression.</returns>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="ArgumentException">The expression is a parameter, which names no graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression operator *(Expression left, double right) => Ops.Multiply(left, right);

    /// <summary>A number times each element.</summary>
    /// <param name="left">The number.</param>
    /// <param name="right">The expression.</param>
    /// <returns>The shape of the expression.</returns>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="ArgumentException">The expression is a parameter, which names no graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression operator *(double left, Expression right) => Ops.Multiply(right, left);

    /// <summary>The quotient, element by element, dimensions of size 1 broadcast: <see
    /// cref="Ops.CDiv(Expression, Expression)"/>.</summary>
    /// <param name="left">The dividend.</param>
    /// <param name="right">The divisor.</param>
    /// <returns>The larger size in each dimension.</returns>
    /// <exception cref="ShapeMismatchException">The shapes do not fit.</exception>
    /// <exception cref="StaleExpressionException">An operand is stale, or of another graph.</exception>
    /// <exception cref="ArgumentException">No operand names a graph: all are parameters.</exception>
    /// <exception cref="ObjectDisposedException">The graph, or the model of a parameter, is disposed.</exception>
    public static Expression operator /(Expression left, Expression right) => Ops.CDiv(left, right);

    /// <summary>Each element divided by a number.</summary>
    /// <param name="left">The expression.</param>
    /// <param name="right">The number; by 0 the elements become infinite or NaN.</param>
    /// <returns>The shape of the expression.</returns>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="ArgumentException">The expression is a parameter, which names no graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression operator /(Expression left, double right) => Ops.CDiv(left, right);

    /// <summary>A number divided by each element.</summary>
    /// <param name="left">The number.</param>
    /// <param name="right">The expression.</param>
    /// <returns>The shape of the expression.</returns>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="ArgumentException">The expression is a parameter, which names no graph.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression operator /(double left, Expression right) => Ops.DivideInto(right, left);
}
