using System.Collections.ObjectModel;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// A recurrent network of several layers: it makes the parameters, <see cref="InitialState(ComputationGraph)"/> starts
/// a sequence, and <see cref="RnnState.AddInput"/> takes a step. DyNet's <c>RNNBuilder</c>.
/// </summary>
/// <remarks>
/// It keeps nothing about a graph, so graphs in any number of threads may use it at once. Names, shapes, order and
/// first values of the parameters are DyNet's, whose files <see cref="Model.Populate(string, string)"/> reads.
/// </remarks>
public abstract class RnnBuilder : IDisposable
{
    // Vectors of a state and masks, several for each layer, can be counted.
    private const int MostLayers = 1 << 24;

    private Parameter[][] _parameters = [];
    private volatile RnnRates _rates = RnnRates.None;
    private volatile bool _disposed;

    /// <summary>Notes the sizes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1.</exception>
    private protected RnnBuilder(int layers, int inputDim, int hiddenDim, int vectors)
    {
        CheckSizes(this, layers, inputDim, hiddenDim);
        Layers = layers;
        InputDim = inputDim;
        HiddenDim = hiddenDim;
        StateCount = layers * vectors;
    }

    /// <summary>The number of layers: 1 to 2^24.</summary>
    public int Layers { get; }

    /// <summary>The size of an input.</summary>
    public int InputDim { get; }

    /// <summary>The size of each layer's h.</summary>
    public int HiddenDim { get; }

    /// <summary>The size of the output: in most builders that of the last layer's h.</summary>
    public virtual int OutputDim => HiddenDim;

    /// <summary>
    /// The number of vectors {hidden} that a state consists of: h of each layer, and in an LSTM c of each layer too.
    /// </summary>
    public int StateCount { get; }

    /// <summary>The parameters of each layer, in the order of their creation.</summary>
    public IReadOnlyList<IReadOnlyList<Parameter>> Parameters { get; private set; } =
        ReadOnlyCollection<IReadOnlyList<Parameter>>.Empty;

    /// <summary>
    /// The kinds of masks that the builder draws for a sequence: the first so many of those there are.
    /// </summary>
    private protected virtual int MaskKinds => 2;

    /// <summary>What sequences that start now are disturbed by.</summary>
    internal RnnRates Rates
    {
        get => _rates;
        private protected set => _rates = value;
    }

    /// <summary>
    /// The dropout rate for the inputs of each layer that a sequence has if it starts now; 0 without dropout.
    /// </summary>
    public double InputDropout => _rates.Input;

    /// <summary>
    /// The dropout rate for the h of the step before that a sequence has if it starts now; 0 without dropout.
    /// </summary>
    public double HiddenDropout => _rates.Hidden;

    /// <summary>Starts a sequence: all vectors of the state are zeros.</summary>
    /// <param name="graph">The graph that the sequence is recorded in.</param>
    /// <returns>The state before the first input.</returns>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public RnnState InitialState(ComputationGraph graph) => InitialState(graph, update: true, []);

    /// <summary>Starts a sequence from given values, such as the last state of an encoder.</summary>
    /// <param name="graph">The graph that the sequence is recorded in.</param>
    /// <param name="values">
    /// As many as <see cref="StateCount"/> says, {hidden} each: in an LSTM c of each layer, then h of each layer; or
    /// none, for zeros.
    /// </param>
    /// <returns>The state before the first input.</returns>
    /// <exception cref="ArgumentException">The number of values is another.</exception>
    /// <exception cref="ShapeMismatchException">A value has another size.</exception>
    /// <exception cref="StaleExpressionException">A value is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public RnnState InitialState(ComputationGraph graph, params ReadOnlySpan<Expression> values) =>
        InitialState(graph, update: true, values);

    /// <summary>Starts a sequence whose gradients may be kept from the parameters.</summary>
    /// <param name="graph">The graph that the sequence is recorded in.</param>
    /// <param name="update">Whether gradients flow into the builder's parameters; otherwise they are constants.</param>
    /// <param name="values">As many as <see cref="StateCount"/> says, {hidden} each; or none, for zeros.</param>
    /// <returns>The state before the first input.</returns>
    /// <exception cref="ArgumentException">The number of values is another.</exception>
    /// <exception cref="ShapeMismatchException">A value has another size.</exception>
    /// <exception cref="StaleExpressionException">A value is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">The builder or the graph is disposed.</exception>
    public RnnState InitialState(ComputationGraph graph, bool update, params ReadOnlySpan<Expression> values)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ThrowIfDisposed();
        RnnRates rates = update ? _rates : _rates with { IsConstant = true };
        return new RnnState(this, graph, rates, isFirst: values.IsEmpty, Start(graph, rates, values));
    }

    /// <summary>
    /// Sets one dropout rate for all that the builder can drop, for training. Sequences that start afterwards have it.
    /// </summary>
    /// <param name="rate">0 or more, less than 1.</param>
    /// <remarks>
    /// Where a builder's description does not say otherwise, a sequence has one mask for the inputs of each layer and
    /// one for the h that each layer gets from the step before, the same at each step (Gal and Ghahramani 2016), drawn
    /// at its first input and with the batch of that. Elements that are kept are divided by 1 - rate.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The rate is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The builder is disposed.</exception>
    public abstract void SetDropout(double rate);

    /// <summary>Ends dropout, for sequences that start afterwards.</summary>
    /// <exception cref="ObjectDisposedException">The builder is disposed.</exception>
    public void DisableDropout() => SetDropout(0);

    /// <summary>Gives this builder's parameters the values of another's.</summary>
    /// <param name="other">A builder of the same kind, with the same sizes.</param>
    /// <remarks>
    /// The values are copied; each builder trains its own afterwards. Must not run beside anything else that uses the
    /// models.
    /// </remarks>
    /// <exception cref="ArgumentException">The other is of another kind, or its parameters of other shapes.</exception>
    /// <exception cref="ObjectDisposedException">A model is disposed.</exception>
    public void CopyFrom(RnnBuilder other)
    {
        ParameterLists.CheckKind(other, this);
        ParameterLists.Copy([.. other.AllParameters()], [.. AllParameters()]);
    }

    /// <summary>Makes the builder unusable. The parameters stay in the model.</summary>
    public void Dispose()
    {
        _disposed = true;
        Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>Takes one step.</summary>
    internal RnnState AddInput(
        ComputationGraph graph, RnnRates rates, bool isFirst, in ExpressionList state, Expression x)
    {
        ThrowIfDisposed();
        return new RnnState(this, graph, rates, isFirst: false, Next(graph, rates, isFirst, state, x));
    }

    /// <summary>A state with some of its vectors replaced.</summary>
    /// <param name="graph">The state's graph.</param>
    /// <param name="rates">What its sequence is disturbed by.</param>
    /// <param name="state">The parts of the state.</param>
    /// <param name="first">The first of the vectors that are replaced.</param>
    /// <param name="values">The new ones.</param>
    internal RnnState Replace(
        ComputationGraph graph, RnnRates rates, in ExpressionList state, int first, ReadOnlySpan<Expression> values)
    {
        ThrowIfDisposed();
        ExpressionList next = state;
        next.MakeOwn();
        var step = new RnnStep(this, graph, rates, isFirst: false, next.AsSpan());
        for (int i = 0; i < values.Length; i++)
            step[first + i] = Checked(graph, values[i], HiddenDim, "a vector of the state");
        SetOutput(step);
        return new RnnState(this, graph, rates, isFirst: false, next);
    }

    /// <summary>
    /// A state before the first input with its masks, the same for all batch elements: for sequences that have them in
    /// common.
    /// </summary>
    internal RnnState WithMasks(in RnnState start)
    {
        ExpressionList parts = start.Expressions;
        parts.MakeOwn();
        // Without what the native builder leaves where it draws them at the first input.
        parts.AsSpan().Slice(StateCount, MaskCount(start.Rates)).Clear();
        DrawMasks(new RnnStep(this, start.Graph, start.Rates, start.IsFirst, parts.AsSpan()), batch: 1);
        return new RnnState(this, start.Graph, start.Rates, start.IsFirst, parts);
    }

    /// <summary>Throws unless a builder's sizes can be.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1, or there are too many layers.</exception>
    internal static void CheckSizes(object builder, int layers, int inputDim, int hiddenDim)
    {
        Check(layers is >= 1 and <= MostLayers, nameof(layers), layers);
        Check(inputDim >= 1, nameof(inputDim), inputDim);
        Check(hiddenDim >= 1, nameof(hiddenDim), hiddenDim);

        void Check(bool isPossible, string name, int value)
        {
            if (!isPossible)
            {
                throw new ArgumentOutOfRangeException(
                    name,
                    value,
                    $"{builder.GetType().Name}: {layers} layers, inputs of {inputDim} and h of {hiddenDim}: each must "
                    + $"be at least 1, and layers at most {MostLayers}.");
            }
        }
    }

    /// <summary>Which part of a state is its output.</summary>
    internal virtual int OutputIndex(int count) => StateCount - 1;

    /// <summary>All parameters, as <see cref="CopyFrom"/> copies them.</summary>
    internal virtual IEnumerable<Parameter> AllParameters() => _parameters.SelectMany(layer => layer);

    /// <summary>Throws if the builder is disposed.</summary>
    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, this);

    /// <summary>An operand in its graph, if it is a vector of a size.</summary>
    /// <exception cref="ShapeMismatchException">It is not.</exception>
    internal Expression Checked(ComputationGraph graph, Expression x, int size, string what)
    {
        // First of all, so that a disposed graph is said to be that.
        nint pointer = graph.Pointer;
        NativeExpression bound = graph.Bind(x);
        Dim dim = GraphCalls.Dim(pointer, bound);
        GC.KeepAlive(graph);
        return dim.Rows == size && dim.BatchElementSize == size
            ? new Expression(graph, bound)
            : throw new ShapeMismatchException($"{GetType().Name}: {what} is {dim}, expected {{{size}}}");
    }

    /// <summary>Makes the parameters of each layer in a sub-collection, all or none.</summary>
    /// <param name="model">The model.</param>
    /// <param name="name">DyNet's name for the sub-collection.</param>
    /// <param name="layer">Makes those of a layer, given the sub-collection and the size of the layer's input.</param>
    private protected void AddLayers(Model model, string name, Func<Model, int, Parameter[]> layer)
    {
        ArgumentNullException.ThrowIfNull(model);
        SetParameters(model.AllOrNothing(() =>
        {
            using Model own = model.AddSubcollection(name);
            return Enumerable.Range(0, Layers).Select(i => layer(own, InputSize(i))).ToArray();
        }));
    }

    private protected void SetParameters(Parameter[][] parameters)
    {
        _parameters = parameters;
        Parameters = ParameterLists.AsReadOnly(parameters);
    }

    /// <summary>The parameters of a layer.</summary>
    private protected LayerParameters Of(in RnnStep step, int layer) => step.Of(_parameters[layer]);

    /// <summary>The size of a layer's input.</summary>
    private protected virtual int InputSize(int layer) => layer == 0 ? InputDim : HiddenDim;

    /// <summary>The number of parts that the builder adds to a state for itself, after vectors and masks.</summary>
    private protected virtual int OwnCount(RnnRates rates) => 0;

    /// <summary>Fills these parts when a sequence starts.</summary>
    private protected virtual void SetOwn(in RnnStep step) => SetOutput(step);

    /// <summary>Makes the output where it is a part of its own, after vectors of the state were given.</summary>
    private protected virtual void SetOutput(in RnnStep step)
    {
    }

    /// <summary>Records a layer.</summary>
    /// <param name="step">Where its new c and h go.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="x">Its input.</param>
    /// <returns>The input of the next layer.</returns>
    private protected abstract Expression Step(in RnnStep step, int layer, Expression x);

    /// <summary>Records what follows the last layer.</summary>
    private protected virtual void Finish(in RnnStep step) => SetOutput(step);

    /// <summary>Frees what the builder holds.</summary>
    private protected virtual void Release()
    {
    }

    /// <summary>The parts of a state before the first input.</summary>
    private protected virtual ExpressionList Start(
        ComputationGraph graph, RnnRates rates, ReadOnlySpan<Expression> values)
    {
        if (values.Length != 0 && values.Length != StateCount)
        {
            throw new ArgumentException(
                $"{GetType().Name}: {values.Length} values for an initial state, expected none or {StateCount}.",
                nameof(values));
        }
        var state = new ExpressionList(StateCount + MaskCount(rates) + OwnCount(rates));
        var step = new RnnStep(this, graph, rates, isFirst: true, state.AsSpan());
        Expression zeros = values.IsEmpty ? graph.Constant([HiddenDim], 0) : default;
        for (int i = 0; i < StateCount; i++)
            step[i] = values.IsEmpty ? zeros : Checked(graph, values[i], HiddenDim, "a vector of the initial state");
        SetOwn(step);
        return state;
    }

    /// <summary>The parts of a state after one more input.</summary>
    private protected virtual ExpressionList Next(
        ComputationGraph graph, RnnRates rates, bool isFirst, in ExpressionList state, Expression x)
    {
        Expression input = Checked(graph, x, InputDim, "x");
        ExpressionList next = state;
        next.MakeOwn();
        var step = new RnnStep(this, graph, rates, isFirst, next.AsSpan());
        DrawMasks(step, input.Dim.Batch);
        for (int layer = 0; layer < Layers; layer++)
            input = Step(step, layer, input);
        Finish(step);
        return next;
    }

    /// <summary>Draws the masks of a sequence at its first input. A rate of 0 has none.</summary>
    private protected void DrawMasks(in RnnStep step, int batch)
    {
        for (int kind = 0; kind < MaskKinds; kind++)
        {
            double rate = step.Rates[kind];
            if (rate == 0 || step[StateCount + kind * Layers].Native.Stamp != 0)
                continue;
            for (int layer = 0; layer < Layers; layer++)
            {
                Dim size = Dim.Of(kind == RnnStep.InputMask ? InputSize(layer) : HiddenDim).WithBatch(batch);
                step[StateCount + kind * Layers + layer] = Ops.Dropout(step.Graph.Constant(size, 1), rate);
            }
        }
    }

    /// <summary>Where the builder's own parts of a state begin.</summary>
    private protected int OwnIndex(RnnRates rates) => StateCount + MaskCount(rates);

    private int MaskCount(RnnRates rates) => rates.HasDropout ? MaskKinds * Layers : 0;
}
