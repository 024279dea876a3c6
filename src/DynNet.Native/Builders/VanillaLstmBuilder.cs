using System.Runtime.InteropServices;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// Layers of long short-term memory (Hochreiter and Schmidhuber 1997): i = s(..), f = s(.. + 1), o = s(..), g =
/// tanh(..); c' = f * c + i * g; h' = o * tanh(c'). It makes the parameters; <see
/// cref="LstmBuilder.InitialState(ComputationGraph)"/> starts a sequence. DyNet's <c>LSTMBuilder</c>.
/// </summary>
/// <remarks>
/// <para>It keeps nothing about a graph, so graphs in any number of threads may use it at once. Its parameters are in a
/// sub-collection <c>vanilla-lstm-builder</c>: for each layer Wx {4h, input}, Wh {4h, h} and b {4h}, as in DyNet, whose
/// files <see cref="Model.Populate(string, string)"/> reads.</para>
/// <para>With layer normalization (Ba, Kiros and Hinton 2016) the sums are b + LN(Wx x) + LN(Wh h), without the last
/// part at the first input if no values were given, and h' = o * tanh(LN(c')); LN is <see cref="Ops.LayerNorm"/>. Its
/// parameters are made as in DyNet in the model itself, without names of their own, each layer's after that of the
/// cell.</para>
/// <para>With coupled gates (Greff and others 2017, "CIFG") as much is written as is forgotten: f = s(.. + 1) as
/// before, i = 1 - f, so that c' = f * c + (1 - f) * g. The matrices have no rows for i: Wx is {3h, input}, Wh {3h, h}
/// and b {3h}, for f, o and g in this order, under the same names. Layer normalization, dropout and noise of weights
/// are the same as without.</para>
/// </remarks>
public sealed class VanillaLstmBuilder : LstmBuilder
{
    // The cell in C++, for the usual form of it.
    private readonly LstmHandle? _handle;
    private readonly VanillaLstmForm _form;
    private readonly Parameter[][] _normalization = [];

    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="layers">The number of layers, at least 1.</param>
    /// <param name="inputDim">The size of an input.</param>
    /// <param name="hiddenDim">The size of each layer's c and h; with layer normalization at least 2.</param>
    /// <param name="layerNorm">Whether there is layer normalization.</param>
    /// <param name="forgetBias">What is added in the forget gate, beside the trained bias.</param>
    /// <param name="coupledGates">Whether the input gate is 1 - f. DyNet has no such form.</param>
    /// <remarks>Must not run beside anything else that uses the model, which is as before if this fails.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than it must be, or not finite.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public VanillaLstmBuilder(
        Model model,
        int layers,
        int inputDim,
        int hiddenDim,
        bool layerNorm = false,
        double forgetBias = 1,
        bool coupledGates = false)
        : base(layers, inputDim, hiddenDim)
    {
        ArgumentNullException.ThrowIfNull(model);
        VanillaLstmForm.Check(layerNorm, hiddenDim, forgetBias);
        _form = new VanillaLstmForm(forgetBias, coupledGates);
        if (!layerNorm && _form == VanillaLstmForm.Usual)
        {
            using Lease lease = model.Lease();
            _handle = LstmCalls.Create(lease.Pointer, layers, inputDim, hiddenDim);
            SetParameters([.. model.Parameters.TakeLast(3 * layers).Chunk(3)]);
            return;
        }
        var normalization = new List<Parameter[]>();
        AddLayers(model, "vanilla-lstm-builder", (own, input) =>
        {
            Parameter[] cell = VanillaLstmCell.AddParameters(own, input, hiddenDim, _form);
            if (layerNorm)
                normalization.Add(VanillaLstmCell.AddNormalization(model, hiddenDim, _form));
            return cell;
        });
        _normalization = [.. normalization];
        NormalizationParameters = ParameterLists.AsReadOnly(_normalization);
    }

    /// <summary>Whether there is layer normalization.</summary>
    public bool HasLayerNorm => _normalization.Length > 0;

    /// <summary>What is added in the forget gate, beside the trained bias.</summary>
    public double ForgetBias => _form.ForgetBias;

    /// <summary>Whether the input gate is 1 - f, without weights of its own.</summary>
    public bool HasCoupledGates => _form.HasCoupledGates;

    /// <summary>
    /// The parameters of layer normalization for each layer: gain and bias {4h} for Wh h, gain and bias {4h} for Wx x,
    /// gain and bias {h} for c; of coupled gates {3h} and {h}. Empty without it.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<Parameter>> NormalizationParameters { get; } = [];

    /// <summary>The native builder, for C++ code that works with it: a <c>dn_lstm*</c>.</summary>
    /// <remarks>Hold it with <see cref="SafeHandle.DangerousAddRef"/> while native code uses it.</remarks>
    /// <exception cref="InvalidOperationException">
    /// There is none: the builder has layer normalization, another forget bias than 1, or coupled gates.
    /// </exception>
    public SafeHandle SafeHandle => _handle
        ?? throw new InvalidOperationException(
            "Only an LSTM without layer normalization and coupled gates, with a forget bias of 1, is a native "
            + "builder.");

    /// <inheritdoc/>
    public override void SetDropout(double inputRate, double hiddenRate)
    {
        ThrowIfDisposed();
        RnnRates.Check(inputRate, nameof(inputRate));
        RnnRates.Check(hiddenRate, nameof(hiddenRate));
        if (_handle is not null)
        {
            using Lease lease = new(_handle, this);
            Status.Check(NativeMethods.dn_lstm_set_dropout(lease.Pointer, inputRate, hiddenRate));
        }
        base.SetDropout(inputRate, hiddenRate);
    }

    /// <summary>
    /// Sets the noise of weights, for training: at each step of a sequence that starts afterwards each weight and bias
    /// has a normally distributed number added.
    /// </summary>
    /// <param name="standardDeviation">That of the numbers, 0 or more; 0 for no noise.</param>
    /// <remarks>
    /// The numbers are drawn as by <see cref="Ops.Noise"/>. Must not run beside a thread that starts a sequence.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative or not finite.</exception>
    /// <exception cref="ObjectDisposedException">The builder is disposed.</exception>
    public void SetWeightNoise(double standardDeviation)
    {
        ThrowIfDisposed();
        WeightNoise.Check(standardDeviation);
        Rates = Rates with { WeightNoise = standardDeviation };
    }

    /// <inheritdoc/>
    internal override IEnumerable<Parameter> AllParameters() =>
        base.AllParameters().Concat(_normalization.SelectMany(layer => layer));

    /// <inheritdoc/>
    private protected override ExpressionList Start(
        ComputationGraph graph, RnnRates rates, ReadOnlySpan<Expression> values)
    {
        if (_handle is null || rates.WeightNoise > 0 || rates.IsConstant)
            return base.Start(graph, rates, values);
        using Lease lease = new(_handle, this);
        var native = new ExpressionList(values.Length);
        Span<NativeExpression> bound = native.AsSpan();
        for (int i = 0; i < values.Length; i++)
            bound[i] = graph.Bind(values[i]);
        // Dropout adds masks to the state.
        var state = new ExpressionList(LstmCalls.StateSize(lease.Pointer));
        LstmCalls.InitialState(lease.Pointer, graph.Pointer, bound, state.AsSpan());
        GC.KeepAlive(graph);
        return state;
    }

    /// <inheritdoc/>
    private protected override ExpressionList Next(
        ComputationGraph graph, RnnRates rates, bool isFirst, in ExpressionList state, Expression x)
    {
        if (_handle is null || rates.WeightNoise > 0 || rates.IsConstant)
            return base.Next(graph, rates, isFirst, state, x);
        using Lease lease = new(_handle, this);
        var next = new ExpressionList(state.Count);
        LstmCalls.AddInput(lease.Pointer, graph.Pointer, state.AsReadOnlySpan(), graph.Bind(x), next.AsSpan());
        GC.KeepAlive(graph);
        return next;
    }

    /// <inheritdoc/>
    private protected override Expression Step(in RnnStep step, int layer, Expression x)
    {
        LayerParameters p = Of(step, layer);
        return VanillaLstmCell.Record(
            step,
            layer,
            x,
            WeightNoise.Added(step.Graph, p[0], step.Rates.WeightNoise),
            WeightNoise.Added(step.Graph, p[1], step.Rates.WeightNoise),
            WeightNoise.Added(step.Graph, p[2], step.Rates.WeightNoise),
            step.Of(HasLayerNorm ? _normalization[layer] : []),
            _form);
    }

    /// <inheritdoc/>
    private protected override void Release() => _handle?.Dispose();
}
