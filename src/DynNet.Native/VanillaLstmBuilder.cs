using System.Runtime.InteropServices;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// Layers of long short-term memory (Hochreiter and Schmidhuber 1997): i = s(..), f = s(.. + 1), o = s(..), g =
/// tanh(..); c' = f * c + i * g; h' = o * tanh(c'). It makes the parameters; <see
/// cref="InitialState(ComputationGraph)"/> starts a sequence.
/// </summary>
/// <remarks>
/// It keeps nothing about a graph, so graphs in any number of threads may use it at once. Its parameters are in a
/// sub-collection <c>vanilla-lstm-builder</c>: for each layer Wx {4h, input}, Wh {4h, h} and b {4h}, as in DyNet, whose
/// files <see cref="Model.Populate(string, string)"/> reads.
/// </remarks>
public sealed class VanillaLstmBuilder : IDisposable
{
    private readonly LstmHandle _handle;

    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="layers">The number of layers, at least 1.</param>
    /// <param name="inputDim">The size of an input.</param>
    /// <param name="hiddenDim">The size of each layer's c and h.</param>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentException">A number is less than 1.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public VanillaLstmBuilder(Model model, int layers, int inputDim, int hiddenDim)
    {
        ArgumentNullException.ThrowIfNull(model);
        using Lease lease = model.Lease();
        _handle = LstmCalls.Create(lease.Pointer, layers, inputDim, hiddenDim);
        Layers = layers;
        InputDim = inputDim;
        HiddenDim = hiddenDim;
    }

    /// <summary>The number of layers.</summary>
    public int Layers { get; }

    /// <summary>The size of an input.</summary>
    public int InputDim { get; }

    /// <summary>The size of each layer's c and h, and so of the output.</summary>
    public int HiddenDim { get; }

    /// <summary>The native builder, for C++ code that works with it: a <c>dn_lstm*</c>.</summary>
    /// <remarks>Hold it with <see cref="SafeHandle.DangerousAddRef"/> while native code uses it.</remarks>
    public SafeHandle SafeHandle => _handle;

    /// <summary>Starts a sequence: c and h of each layer are zeros.</summary>
    /// <param name="graph">The graph that the sequence is recorded in.</param>
    /// <returns>The state before the first input.</returns>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public LstmState InitialState(ComputationGraph graph) => InitialState(graph, []);

    /// <summary>Starts a sequence from given values, such as the last state of an encoder.</summary>
    /// <param name="graph">The graph that the sequence is recorded in.</param>
    /// <param name="values">c {hidden} of each layer, then h {hidden} of each layer; or none, for zeros.</param>
    /// <returns>The state before the first input.</returns>
    /// <exception cref="ArgumentException">The number of values is not 0 or twice the number of layers.</exception>
    /// <exception cref="ShapeMismatchException">A value has another size.</exception>
    /// <exception cref="StaleExpressionException">A value is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public LstmState InitialState(ComputationGraph graph, params ReadOnlySpan<Expression> values)
    {
        ArgumentNullException.ThrowIfNull(graph);
        using Lease lease = Lease();
        var native = new ExpressionList(values.Length);
        Span<NativeExpression> bound = native.AsSpan();
        for (int i = 0; i < values.Length; i++)
            bound[i] = graph.Bind(values[i]);
        // Dropout adds masks to the state.
        var state = new ExpressionList(LstmCalls.StateSize(lease.Pointer));
        LstmCalls.InitialState(lease.Pointer, graph.Pointer, bound, state.AsSpan());
        GC.KeepAlive(graph);
        return new LstmState(this, graph, state);
    }

    /// <summary>
    /// Sets the dropout rates, for training: with the same mask at each step of a sequence (Gal and Ghahramani 2016),
    /// which is drawn at its first input. Sequences that start afterwards have them.
    /// </summary>
    /// <param name="inputRate">The rate for the inputs of each layer, 0 or more and less than 1.</param>
    /// <param name="hiddenRate">The rate for the h that each layer gets from the step before, 0 or more and less than
    /// 1.
    /// </param>
    /// <remarks>Must not run beside a thread that starts a sequence.</remarks>
    /// <exception cref="ArgumentException">A rate is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The builder is disposed.</exception>
    public void SetDropout(double inputRate, double hiddenRate)
    {
        using Lease lease = Lease();
        Status.Check(NativeMethods.dn_lstm_set_dropout(lease.Pointer, inputRate, hiddenRate));
    }

    /// <summary>Sets one dropout rate for inputs and recurrent values.</summary>
    /// <param name="rate">0 or more, less than 1.</param>
    /// <remarks>Must not run beside a thread that starts a sequence.</remarks>
    /// <exception cref="ArgumentException">The rate is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The builder is disposed.</exception>
    public void SetDropout(double rate) => SetDropout(rate, rate);

    /// <summary>Ends dropout, for sequences that start afterwards.</summary>
    /// <exception cref="ObjectDisposedException">The builder is disposed.</exception>
    public void DisableDropout() => SetDropout(0, 0);

    /// <summary>Frees the builder, as soon as no call uses it any more. The parameters stay in the model.</summary>
    public void Dispose() => _handle.Dispose();

    /// <summary>Takes one step.</summary>
    internal LstmState AddInput(ComputationGraph graph, in ExpressionList state, in Expression x)
    {
        using Lease lease = Lease();
        var next = new ExpressionList(state.Count);
        LstmCalls.AddInput(lease.Pointer, graph.Pointer, state.AsReadOnlySpan(), graph.Bind(x), next.AsSpan());
        GC.KeepAlive(graph);
        return new LstmState(this, graph, next);
    }

    private Lease Lease() => new(_handle, this);
}
