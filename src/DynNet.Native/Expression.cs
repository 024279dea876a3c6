using System.Numerics.Tensors;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// A node of a <see cref="ComputationGraph"/>: the result of an operation, computed when its value is asked for.
/// Combined by the operators, and by the methods of <see cref="Ops"/>.
/// </summary>
/// <remarks>
/// <para>A value of 16 bytes: copied freely, with nothing to dispose. It is valid until its graph is renewed, disposed,
/// or reverted to before it; then every use throws <see cref="StaleExpressionException"/> or <see
/// cref="ObjectDisposedException"/>, as does <c>default</c>.</para>
/// <para>Values are float32 and column-major, the batch last. Calls into one graph from two threads at once throw <see
/// cref="InvalidOperationException"/>.</para>
/// </remarks>
public readonly partial struct Expression : IEquatable<Expression>
{
    internal Expression(ComputationGraph graph, NativeExpression native)
    {
        Owner = graph;
        Native = native;
    }

    private Expression(Parameter parameter) => Owner = parameter;

    /// <summary>The graph.</summary>
    /// <exception cref="ArgumentException">It is a parameter that no graph has taken up yet.</exception>
    /// <exception cref="StaleExpressionException">It is <c>default</c>.</exception>
    public ComputationGraph Graph => ComputationGraph.Of(this);

    /// <summary>The shape, known without computing.</summary>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    public Dim Dim
    {
        get
        {
            if (Owner is Parameter parameter)
                return parameter.Dim;
            ComputationGraph graph = Graph;
            Dim dim = GraphCalls.Dim(graph.Pointer, Native);
            GC.KeepAlive(graph);
            return dim;
        }
    }

    /// <summary>A <see cref="ComputationGraph"/>; a <see cref="Parameter"/>, which a graph has yet to take up; or null.
    /// </summary>
    internal object? Owner { get; }

    /// <summary>The node, if the owner is a graph.</summary>
    internal NativeExpression Native { get; }

    /// <summary>A parameter as an operand: the graph that the other operand names takes it up.</summary>
    /// <param name="parameter">The parameter.</param>
    public static implicit operator Expression(Parameter parameter) => FromParameter(parameter);

    /// <summary>Whether two expressions are the same node.</summary>
    /// <param name="left">One expression.</param>
    /// <param name="right">The other.</param>
    /// <returns>Whether they are the same.</returns>
    public static bool operator ==(Expression left, Expression right) => left.Equals(right);

    /// <summary>Whether two expressions are different nodes.</summary>
    /// <param name="left">One expression.</param>
    /// <param name="right">The other.</param>
    /// <returns>Whether they differ.</returns>
    public static bool operator !=(Expression left, Expression right) => !left.Equals(right);

    /// <summary>A parameter as an operand: the graph that the other operand names takes it up.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <returns>The expression.</returns>
    public static Expression FromParameter(Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return new Expression(parameter);
    }

    /// <summary>An expression that C++ code has recorded in a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="expression">What the C ABI calls a <c>dn_expr</c>.</param>
    /// <returns>The expression. Whether it is valid shows when it is used.</returns>
    public static Expression FromNative(ComputationGraph graph, NativeExpression expression)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return new Expression(graph, expression);
    }

    /// <summary>The expression for C++ code that works on its graph: what the C ABI calls a <c>dn_expr</c>.</summary>
    /// <returns>8 bytes, valid as long as the expression is.</returns>
    /// <exception cref="ArgumentException">It is a parameter that no graph has taken up yet.</exception>
    /// <exception cref="StaleExpressionException">It is <c>default</c>.</exception>
    public NativeExpression ToNative() => Graph.Bind(this);

    /// <summary>Computes everything up to this expression anew, reading inputs and indices as they are now.</summary>
    /// <remarks>Asking for a value computes by itself; this is for after <see cref="SetInput"/> and the like.</remarks>
    /// <exception cref="ArgumentException">It is a parameter that no graph has taken up yet.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="NotFiniteNumberException">A value is NaN or infinite, and the graph checks it.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    public void Forward()
    {
        ComputationGraph graph = Graph;
        NativeStatus status = NativeMethods.dn_graph_forward(graph.Pointer, Native);
        GC.KeepAlive(graph);
        Status.Check(status);
    }

    /// <summary>Computes what this expression depends on and has no value yet, itself included.</summary>
    /// <remarks>Asking for a value does so by itself.</remarks>
    /// <exception cref="InvalidOperationException">As for <see cref="AsSpan"/>.</exception>
    /// <exception cref="ArgumentException">It is a parameter that no graph has taken up yet.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="NotFiniteNumberException">A value is NaN or infinite, and the graph checks it.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    public void IncrementalForward()
    {
        ComputationGraph graph = Graph;
        NativeStatus status = NativeMethods.dn_graph_incremental_forward(graph.Pointer, Native);
        GC.KeepAlive(graph);
        Status.Check(status);
    }

    /// <summary>The value of an expression of one element, computed if it was not yet.</summary>
    /// <returns>The number.</returns>
    /// <remarks>The value once computed stays as long as that of <see cref="AsSpan"/>.</remarks>
    /// <exception cref="ShapeMismatchException">It has more than one element.</exception>
    /// <exception cref="InvalidOperationException">As for <see cref="AsSpan"/>.</exception>
    /// <exception cref="ArgumentException">It is a parameter that no graph has taken up yet.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="NotFiniteNumberException">A value is NaN or infinite, and the graph checks it.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    public float ScalarValue()
    {
        ComputationGraph graph = Graph;
        float value = GraphCalls.ScalarValue(graph.Pointer, Native);
        GC.KeepAlive(graph);
        return value;
    }

    /// <summary>The value where it lies, column-major, computed if it was not yet.</summary>
    /// <returns>
    /// A view, valid until the graph is renewed, reverted, disposed, or computed anew: by <see cref="Forward"/>, or by
    /// a <see cref="Backward"/> after parameters have changed. Read later while the graph lives, it holds old or other
    /// numbers.
    /// </returns>
    /// <remarks>
    /// The span does not keep the graph alive: hold the graph, best by <c>using</c>. An affine transformation whose tanh,
    /// logistic or rectify was recorded next is computed as one with that; its own value is there from when it is first
    /// asked for.
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// It was computed as one with its activation, and is asked for only after parameters have changed.
    /// </exception>
    /// <exception cref="ArgumentException">It is a parameter that no graph has taken up yet.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="NotFiniteNumberException">A value is NaN or infinite, and the graph checks it.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    public ReadOnlySpan<float> AsSpan()
    {
        ComputationGraph graph = Graph;
        ReadOnlySpan<float> values = GraphCalls.Value(graph.Pointer, Native);
        GC.KeepAlive(graph);
        return values;
    }

    /// <summary>The value where it lies as a tensor, computed if it was not yet.</summary>
    /// <returns>
    /// A view with the dimensions of <see cref="Dim"/>, and the batch as the last one if there is one. It is valid as
    /// long as that of <see cref="AsSpan"/>.
    /// </returns>
    /// <exception cref="InvalidOperationException">As for <see cref="AsSpan"/>.</exception>
    /// <exception cref="ArgumentException">It is a parameter that no graph has taken up yet.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="NotFiniteNumberException">A value is NaN or infinite, and the graph checks it.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    public ReadOnlyTensorSpan<float> AsTensorSpan()
    {
        Dim dim = Dim;
        int rank = Math.Max(dim.Rank, 1);
        Span<nint> lengths = stackalloc nint[rank + 1];
        Span<nint> strides = stackalloc nint[rank + 1];
        nint stride = 1;
        for (int i = 0; i <= rank; i++)
        {
            lengths[i] = i < rank ? dim[i] : dim.Batch;
            // A tensor's dimension of size 1 must have no stride.
            strides[i] = lengths[i] == 1 ? 0 : stride;
            stride *= lengths[i];
        }
        int count = dim.Batch > 1 ? rank + 1 : rank;
        return new ReadOnlyTensorSpan<float>(AsSpan(), lengths[..count], strides[..count]);
    }

    /// <summary>A copy of the value, column-major, computed if it was not yet.</summary>
    /// <returns>As many numbers as the expression has elements.</returns>
    /// <remarks>The value once computed stays as long as that of <see cref="AsSpan"/>.</remarks>
    /// <exception cref="InvalidOperationException">As for <see cref="AsSpan"/>.</exception>
    /// <exception cref="ArgumentException">It is a parameter that no graph has taken up yet.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="NotFiniteNumberException">A value is NaN or infinite, and the graph checks it.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    public float[] ToArray()
    {
        float[] copy = AsSpan().ToArray();
        GC.KeepAlive(Owner);
        return copy;
    }

    /// <summary>Copies the value, column-major, computed if it was not yet.</summary>
    /// <param name="destination">At least as long as the expression has elements.</param>
    /// <remarks>The value once computed stays as long as that of <see cref="AsSpan"/>.</remarks>
    /// <exception cref="ArgumentException">
    /// <paramref name="destination"/> is too short; or the expression is a parameter that no graph has taken up yet.
    /// </exception>
    /// <exception cref="InvalidOperationException">As for <see cref="AsSpan"/>.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="NotFiniteNumberException">A value is NaN or infinite, and the graph checks it.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    public void CopyTo(Span<float> destination)
    {
        AsSpan().CopyTo(destination);
        GC.KeepAlive(Owner);
    }

    /// <summary>
    /// Adds the gradients of this expression with respect to the parameters to those that have accumulated, computing
    /// the values first where there are none. If parameters have changed since there were, all are computed anew, as by
    /// <see cref="Forward"/>: from inputs and indices as they are now, and spans of the old values become invalid.
    /// </summary>
    /// <param name="full">
    /// Keeps the gradients of all nodes that this one depends on, inputs included, and not only of those on a path to a
    /// parameter. What it depends on through <see cref="Ops.NoBackprop"/> only does not count.
    /// </param>
    /// <param name="gradients">
    /// Where to add the gradients of its model, for instance a worker's own set; null for each model's own. In a graph
    /// of several models those of the others are added to these models' own.
    /// </param>
    /// <remarks>
    /// If it fails midway, for want of memory, a part of the gradients may have been added: reset them, by <see
    /// cref="GradientSet.Reset"/> or <see cref="Model.ResetGradients"/>.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The expression depends on parameters, but on none of the set's model; or it is itself a parameter that no graph
    /// has taken up yet.
    /// </exception>
    /// <exception cref="ShapeMismatchException">The expression has more than one element, batch included.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="InvalidOperationException">Another thread's backward writes the same gradients.</exception>
    /// <exception cref="NotFiniteNumberException">A value is NaN or infinite, and the graph checks it.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the gradient set is disposed.</exception>
    public void Backward(bool full = false, GradientSet? gradients = null)
    {
        ComputationGraph graph = Graph;
        if (gradients is null)
        {
            Check(NativeMethods.dn_graph_backward(graph.Pointer, Native, 0, full ? 1 : 0), graph);
            return;
        }
        using Lease lease = gradients.Lease();
        Check(NativeMethods.dn_graph_backward(graph.Pointer, Native, lease.Pointer, full ? 1 : 0), graph);
    }

    /// <summary>
    /// The gradient of what <see cref="Backward"/> was last called for with respect to this expression.
    /// </summary>
    /// <returns>
    /// Column-major, zeros if that does not depend on this, or through <see cref="Ops.NoBackprop"/> only. A view, valid
    /// until the next backward, renewal, revert or disposal.
    /// </returns>
    /// <remarks>
    /// Of a parameter, and of a node that computes the same as another (an equal word's embedding, for one), it is found
    /// when it is first asked for, which takes as long as a backward: ask before the update. That of an affine
    /// transformation which was computed as one with its activation is found then from the activation's.
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// There was no backward; this is on no path to a parameter and the backward was not <c>full</c>; or, where the
    /// gradient has yet to be found, a parameter has changed or a forward was run since the backward.
    /// </exception>
    /// <exception cref="ArgumentException">It is a parameter that no graph has taken up yet.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    public ReadOnlySpan<float> Gradient()
    {
        ComputationGraph graph = Graph;
        ReadOnlySpan<float> gradient = GraphCalls.Gradient(graph.Pointer, Native);
        GC.KeepAlive(graph);
        return gradient;
    }

    /// <summary>Gives an input new values, which the next <see cref="Forward"/> reads.</summary>
    /// <param name="values">Column-major, as many as the input has elements.</param>
    /// <remarks>
    /// Until then computed values stay as they are, except that a <see cref="Backward"/> after parameters have changed
    /// computes all of them anew and reads the new ones too.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The expression is not an input, for instance a parameter that no graph has taken up yet.
    /// </exception>
    /// <exception cref="ShapeMismatchException">The number of values is another.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    public void SetInput(params ReadOnlySpan<float> values)
    {
        ComputationGraph graph = Graph;
        GraphCalls.SetInput(graph.Pointer, Native, values);
        GC.KeepAlive(graph);
    }

    /// <summary>
    /// Gives an operation with indices (a lookup, one-hot, pick, selection, <c>PickNegLogSoftmax</c>, hinge and others)
    /// new ones, which the next <see cref="Forward"/> reads.
    /// </summary>
    /// <param name="indices">As many as before.</param>
    /// <remarks>
    /// Until then computed values stay as they are, except that a <see cref="Backward"/> after parameters have changed
    /// computes all of them anew and reads the new ones too.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The expression has no indices, for instance a parameter that no graph has taken up yet; or another number of
    /// them.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is out of range.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    public void SetIndices(params ReadOnlySpan<int> indices)
    {
        ComputationGraph graph = Graph;
        GraphCalls.SetIndices(graph.Pointer, Native, indices);
        GC.KeepAlive(graph);
    }

    /// <inheritdoc/>
    public bool Equals(Expression other) =>
        Native.Node == other.Native.Node && Native.Stamp == other.Native.Stamp && Equals(Owner, other.Owner);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Expression other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Owner, Native.Node, Native.Stamp);

    /// <summary>What the expression is, for a debugger; its value is not computed.</summary>
    /// <returns>Such as <c>node 12</c>.</returns>
    public override string ToString() => Owner switch
    {
        null => "default(Expression)",
        Parameter parameter => $"parameter {parameter}",
        _ => $"node {Native.Node}",
    };

    private static void Check(NativeStatus status, ComputationGraph graph)
    {
        GC.KeepAlive(graph);
        Status.Check(status);
    }
}
