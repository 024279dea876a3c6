using System.Diagnostics;
using System.Runtime.CompilerServices;
using DynNet.Native.Interop;

namespace DynNet.Native;

// How an operation finds its graph, and what its operands are there.
public sealed partial class ComputationGraph
{
    /// <summary>The graph that an operand names.</summary>
    /// <exception cref="ArgumentException">The operand is a parameter, which names none.</exception>
    /// <exception cref="StaleExpressionException">The operand is <c>default</c>.</exception>
    [StackTraceHidden]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ComputationGraph Of(in Expression a) => a.Owner as ComputationGraph ?? throw NoGraph(a.Owner);

    /// <summary>The graph that one of two operands names.</summary>
    /// <exception cref="ArgumentException">All operands are parameters.</exception>
    /// <exception cref="StaleExpressionException">An operand is <c>default</c> and none names a graph.</exception>
    [StackTraceHidden]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ComputationGraph Of(in Expression a, in Expression b) =>
        a.Owner as ComputationGraph ?? b.Owner as ComputationGraph ?? throw NoGraph(a.Owner ?? b.Owner);

    /// <summary>The graph that one of several operands names.</summary>
    /// <exception cref="ArgumentException">There are no operands, or all are parameters.</exception>
    /// <exception cref="StaleExpressionException">An operand is <c>default</c> and none names a graph.</exception>
    [StackTraceHidden]
    internal static ComputationGraph Of(ReadOnlySpan<Expression> xs)
    {
        foreach (ref readonly Expression x in xs)
        {
            if (x.Owner is ComputationGraph graph)
                return graph;
        }
        throw xs.IsEmpty
            ? new ArgumentException("The operation needs at least one expression.", nameof(xs))
            : NoGraph(xs[0].Owner);
    }

    /// <summary>What an operand is in this graph; a parameter becomes one node of it.</summary>
    /// <exception cref="StaleExpressionException">The operand is of another graph, or <c>default</c>.</exception>
    /// <exception cref="ObjectDisposedException">The operand is a parameter of a model that is disposed.</exception>
    [StackTraceHidden]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal NativeExpression Bind(in Expression x) =>
        ReferenceEquals(x.Owner, this) ? x.Native : BindForeign(x.Owner);

    /// <summary>An operand as an expression of this graph, which thus names it.</summary>
    /// <exception cref="StaleExpressionException">The operand is of another graph, or <c>default</c>.</exception>
    /// <exception cref="ObjectDisposedException">The operand is a parameter of a model that is disposed.</exception>
    internal Expression Bound(in Expression x) => new(this, Bind(x));

    [StackTraceHidden]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private NativeExpression BindForeign(object? owner)
    {
        if (owner is not Native.Parameter parameter)
        {
            throw new StaleExpressionException(
                owner is null
                    ? "An operand is default(Expression), which no operation has made."
                    : "An operand belongs to another graph: expressions of two graphs cannot be combined.");
        }
        using Lease lease = LeaseOf(parameter.Root);
        NativeExpression node = GraphCalls.Parameter(Pointer, parameter.Pointer);
        Recorded(parameter.Root);
        GC.KeepAlive(parameter);
        GC.KeepAlive(this);
        return node;
    }

    /// <summary>
    /// Keeps a model from being freed while one of its parameters is recorded. None is needed once the native graph holds
    /// the model, from the first parameter until the renewal.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    private Lease LeaseOf(Model root) => ReferenceEquals(root, _recorded) ? default : root.Lease();

    /// <summary>Notes that the native graph holds a model.</summary>
    private void Recorded(Model root) => _recorded = root;

    [StackTraceHidden]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Exception NoGraph(object? owner)
    {
        if (owner is not Native.Parameter parameter)
            return new StaleExpressionException("The expression is default(Expression), which no operation has made.");
        string name = parameter.Name[(parameter.Name.LastIndexOf('/') + 1)..];
        return new ArgumentException(
            $"No operand names a graph: the parameter {parameter} belongs to none by itself. "
            + $"Write graph.Parameter({name}) instead.");
    }
}
