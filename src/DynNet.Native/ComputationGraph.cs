using System.Runtime.InteropServices;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// What a program computes, recorded operation by operation: each method of <see cref="Ops"/> and each operator adds a
/// node. The graph is built anew for every example; <see cref="Renew"/> keeps its memory for the next one.
/// </summary>
/// <remarks>
/// <para>Shapes are checked when an operation is recorded. Nothing is computed until a value or gradient is asked for;
/// independent nodes of one kind then run together, unless <see cref="Batching"/> is off.</para>
/// <para>A graph may move between threads, but two calls into it at once throw <see cref="InvalidOperationException"/>.
/// Different graphs may be used by different threads at once, with one model. All members throw <see
/// cref="ObjectDisposedException"/> once the graph is disposed.</para>
/// </remarks>
public sealed partial class ComputationGraph : IDisposable
{
    // Counts the graphs that were made without a seed.
    private static long s_unseeded;

    private readonly GraphHandle _handle;

    // The handle's value, where the hot calls find it without counting references; 0 once disposed.
    private nint _pointer;

    // A model of which a parameter is recorded, so that the native graph holds on to it: even if another thread disposes
    // it meanwhile, its parameters can be recorded without a lease.
    private Model? _recorded;
    private bool _immediate;
    private bool _checkValues;
    private bool _profiling;
    private bool _batching = true;

    /// <summary>Makes an empty graph.</summary>
    /// <param name="seed">
    /// Decides the random draws (dropout), together with the place of each node and the number of renewals: two graphs of
    /// one seed draw the same numbers. Graphs without one get the seeds 1, 2, 3 and so on, in the order in which the
    /// process makes them: a graph made for each example draws anew, and the same program draws the same numbers.
    /// </param>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    public ComputationGraph(long? seed = null)
    {
        Reclaimer.BeforeGraph();
        _handle = GraphCalls.Create(seed ?? Interlocked.Increment(ref s_unseeded));
        _pointer = _handle.DangerousGetHandle();
    }

    /// <summary>The number of nodes recorded.</summary>
    /// <remarks>
    /// An affine transformation that was computed as one with its activation and is used by something else, or a
    /// backward, only then counts twice.
    /// </remarks>
    public long NodeCount
    {
        get
        {
            long count = GraphCalls.NodeCount(Pointer);
            GC.KeepAlive(this);
            return count;
        }
    }

    /// <summary>
    /// Whether each node is computed when it is recorded, so that a debugger shows values and an error points at its
    /// line. Off by default.
    /// </summary>
    public bool Immediate
    {
        get => _immediate;
        set
        {
            Check(NativeMethods.dn_graph_set_immediate(Pointer, value ? 1 : 0));
            _immediate = value;
        }
    }

    /// <summary>
    /// Whether the first NaN or infinity that is computed throws <see cref="NotFiniteNumberException"/>, with its
    /// operation. Off by default.
    /// </summary>
    public bool CheckValues
    {
        get => _checkValues;
        set
        {
            Check(NativeMethods.dn_graph_set_check_values(Pointer, value ? 1 : 0));
            _checkValues = value;
        }
    }

    /// <summary>
    /// Whether the graph keeps a profile of what it computes, renewals included; see <see cref="Profile"/>. Setting it to
    /// true begins a new one. Off by default: a batch then takes some 50 nanoseconds longer.
    /// </summary>
    public bool Profiling
    {
        get => _profiling;
        set
        {
            Check(NativeMethods.dn_graph_set_profiling(Pointer, value ? 1 : 0));
            _profiling = value;
        }
    }

    /// <summary>
    /// Whether independent nodes of one kind run together. On by default; values are the same to the bit either way.
    /// </summary>
    public bool Batching
    {
        get => _batching;
        set
        {
            Check(NativeMethods.dn_graph_set_batching(Pointer, value ? 1 : 0));
            _batching = value;
        }
    }

    /// <summary>Counts of the latest forward: nodes, and the batches that they ran in.</summary>
    public BatchStats BatchStats
    {
        get
        {
            BatchStats stats = GraphCalls.BatchStats(Pointer);
            GC.KeepAlive(this);
            return stats;
        }
    }

    /// <summary>The native graph, for C++ code that builds on it: a <c>dn_graph*</c>.</summary>
    /// <remarks>Hold it with <see cref="SafeHandle.DangerousAddRef"/> while native code uses it.</remarks>
    public SafeHandle SafeHandle => _handle;

    /// <summary>The native graph, for the moment of a call that ends in <see cref="GC.KeepAlive"/>.</summary>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    internal nint Pointer
    {
        get
        {
            nint pointer = _pointer;
            if (pointer == 0)
                ThrowDisposed();
            return pointer;
        }
    }

    /// <summary>How often <see cref="Revert"/> was called: what was recorded before may be gone.</summary>
    internal long Reverts { get; private set; }

    /// <summary>A column of given numbers, {n}, copied when recorded.</summary>
    /// <param name="values">At least 1. New ones may be set with <see cref="Expression.SetInput"/>.</param>
    /// <returns>The expression.</returns>
    /// <exception cref="ArgumentException">There are no values.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public Expression Input(ReadOnlySpan<float> values)
    {
        if (values.IsEmpty)
            throw new ArgumentException("An input needs at least one number.", nameof(values));
        NativeExpression result = GraphCalls.Input(Pointer, values);
        GC.KeepAlive(this);
        return new Expression(this, result);
    }

    /// <summary>
    /// Empties the graph, keeping its memory for the next example. All its expressions become stale, and all spans read
    /// from it invalid.
    /// </summary>
    public void Renew()
    {
        _recorded = null;
        Check(NativeMethods.dn_graph_renew(Pointer));
    }

    /// <summary>
    /// Forgets all values: what is asked for next is computed anew, from inputs and indices as they are then. Spans of
    /// the old values become invalid.
    /// </summary>
    public void Invalidate() => Check(NativeMethods.dn_graph_invalidate(Pointer));

    /// <summary>Remembers the graph as it is, for <see cref="Revert"/>. Checkpoints nest.</summary>
    public void Checkpoint() => Check(NativeMethods.dn_graph_checkpoint(Pointer));

    /// <summary>
    /// Takes back everything recorded since the latest checkpoint, which is thereby used up. Expressions of before it
    /// stay valid, those of after it become stale, and all spans read from the graph invalid.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is no checkpoint.</exception>
    public void Revert()
    {
        _recorded = null;
        Check(NativeMethods.dn_graph_revert(Pointer));
        Reverts++;
    }

    /// <summary>What ran together in the latest forward, and what could not and why, as text for a person.</summary>
    /// <returns>Several lines.</returns>
    public string BatchingReport()
    {
        string report = GraphCalls.BatchingReport(Pointer);
        GC.KeepAlive(this);
        return report;
    }

    /// <summary>The graph as a drawing, in Graphviz's language.</summary>
    /// <returns>
    /// A digraph: each node with its number, operation, shape, parameter and first indices, for instance for <c>dot
    /// -Tsvg</c>.
    /// </returns>
    public string ToGraphviz()
    {
        string drawing = GraphCalls.Graphviz(Pointer);
        GC.KeepAlive(this);
        return drawing;
    }

    /// <summary>Where the time went since <see cref="Profiling"/> was set.</summary>
    /// <returns>The profile so far; setting Profiling again begins a new one.</returns>
    /// <exception cref="InvalidOperationException"><see cref="Profiling"/> is off.</exception>
    public GraphProfile Profile()
    {
        GraphProfile profile = GraphCalls.Profile(Pointer);
        GC.KeepAlive(this);
        return profile;
    }

    /// <summary>
    /// Frees the graph; if another thread is in a call into it, as soon as that call leaves. Its expressions and the
    /// spans read from it must not be used afterwards.
    /// </summary>
    public void Dispose()
    {
        _pointer = 0;
        _handle.Dispose();
    }

    private void Check(NativeStatus status)
    {
        GC.KeepAlive(this);
        Status.Check(status);
    }

    private void ThrowDisposed() => throw new ObjectDisposedException(GetType().FullName);
}
