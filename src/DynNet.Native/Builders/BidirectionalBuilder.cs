namespace DynNet.Native;

/// <summary>
/// Layers that each read a sequence in both directions: what a layer makes of a position is the output of a forward
/// builder that has read up to it and that of a backward builder that has read from the end to it, one after the other
/// in one vector. The next layer reads these.
/// </summary>
/// <remarks>
/// The builders are of any kind, made by the caller or by a function; <see cref="Dispose"/> disposes them. It keeps
/// nothing about a graph, so graphs in any number of threads may use it at once.
/// </remarks>
public sealed class BidirectionalBuilder : IDisposable
{
    private readonly (RnnBuilder Forward, RnnBuilder Backward)[] _layers;

    /// <summary>Makes one layer of two builders.</summary>
    /// <param name="forward">Reads from the first input to the last.</param>
    /// <param name="backward">Reads from the last input to the first; for inputs of the same size.</param>
    /// <exception cref="ArgumentException">
    /// The builders are for inputs of different sizes, or one and the same.
    /// </exception>
    public BidirectionalBuilder(RnnBuilder forward, RnnBuilder backward)
    {
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(backward);
        if (ReferenceEquals(forward, backward))
            throw new ArgumentException("One builder cannot be both.", nameof(backward));
        if (forward.InputDim != backward.InputDim)
        {
            throw new ArgumentException(
                $"The forward builder has inputs of {forward.InputDim}, the backward builder of {backward.InputDim}.",
                nameof(backward));
        }
        _layers = [(forward, backward)];
    }

    /// <summary>Makes layers of builders of one kind.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="layers">The number of layers, at least 1.</param>
    /// <param name="inputDim">The size of an input.</param>
    /// <param name="outputDim">The size of an output, half of it from each direction.</param>
    /// <param name="builder">
    /// Makes a builder of one layer, given the model, the size of its input and that of its h, such as <c>(model,
    /// input, hidden) => new GruBuilder(model, 1, input, hidden)</c>. It is called for the forward builder of each
    /// layer, then for the backward one.
    /// </param>
    /// <remarks>
    /// Must not run beside anything else that uses the model, which is as before if this fails: builders that the
    /// function has made by then are disposed and their parameters taken back, so what it has recorded with them must
    /// not be computed.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1.</exception>
    /// <exception cref="ArgumentException">
    /// The output is of odd size, or a builder that the function makes has other sizes than it was asked for, or is
    /// there twice.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public BidirectionalBuilder(
        Model model, int layers, int inputDim, int outputDim, Func<Model, int, int, RnnBuilder> builder)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentOutOfRangeException.ThrowIfLessThan(layers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(inputDim, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputDim, 1);
        if (outputDim % 2 != 0)
            throw new ArgumentException($"An output of {outputDim}: it must be even.", nameof(outputDim));
        _layers = new (RnnBuilder, RnnBuilder)[layers];
        var made = new List<RnnBuilder>();
        try
        {
            model.AllOrNothing(() =>
            {
                for (int i = 0; i < layers; i++)
                {
                    int input = i == 0 ? inputDim : outputDim;
                    RnnBuilder forward = Make(input);
                    _layers[i] = (forward, Make(input));
                }
            });
        }
        catch
        {
            made.ForEach(each => each.Dispose());
            throw;
        }

        RnnBuilder Make(int input)
        {
            RnnBuilder one = builder(model, input, outputDim / 2)
                ?? throw new ArgumentException("The function made no builder.", nameof(builder));
            bool isNew = !made.Contains(one);
            made.Add(one);
            return isNew && one.InputDim == input && one.OutputDim == outputDim / 2
                ? one
                : throw new ArgumentException(
                    $"The function made {(isNew ? "a" : "the same")} {one.GetType().Name} with inputs of "
                    + $"{one.InputDim} and outputs of {one.OutputDim}; expected a new one with {input} and "
                    + $"{outputDim / 2}.",
                    nameof(builder));
        }
    }

    /// <summary>The builders, layer by layer.</summary>
    public IReadOnlyList<(RnnBuilder Forward, RnnBuilder Backward)> Layers => Array.AsReadOnly(_layers);

    /// <summary>
    /// The parameters of each layer: all of its forward builder, then all of its backward builder, in the order of
    /// their creation, those of layer normalization after the others.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<Parameter>> Parameters => ParameterLists.AsReadOnly(
        Array.ConvertAll(
            _layers,
            layer => layer.Forward.AllParameters().Concat(layer.Backward.AllParameters()).ToArray()));

    /// <summary>The size of an input.</summary>
    public int InputDim => _layers[0].Forward.InputDim;

    /// <summary>The size of an output.</summary>
    public int OutputDim => _layers[^1].Forward.OutputDim + _layers[^1].Backward.OutputDim;

    /// <summary>Reads a sequence.</summary>
    /// <param name="graph">The graph that it is recorded in.</param>
    /// <param name="xs">The inputs {input}, at least one.</param>
    /// <param name="update">Whether gradients flow into the builders' parameters; otherwise they are constants.</param>
    /// <returns>
    /// An output for each: that of the last layer's forward builder, then that of its backward builder.
    /// </returns>
    /// <exception cref="ArgumentException">There are no inputs.</exception>
    /// <exception cref="ShapeMismatchException">An input has another size.</exception>
    /// <exception cref="StaleExpressionException">An input is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">A builder or the graph is disposed.</exception>
    public IReadOnlyList<Expression> Transduce(
        ComputationGraph graph, IEnumerable<Expression> xs, bool update = true) =>
        Transduce(graph, xs, [], out _, update);

    /// <summary>Reads a sequence from given states on, and tells where it ends, as a decoder needs it.</summary>
    /// <param name="graph">The graph that it is recorded in.</param>
    /// <param name="xs">The inputs {input}, at least one.</param>
    /// <param name="starts">
    /// For each layer where its forward builder starts, before the first input, and its backward builder, after the
    /// last; or none, for zeros. A state of that builder goes on as it is. Of a state of any other builder, such as that
    /// of an encoder or of the layer's other direction, the vectors are what the builder starts with, as by <see
    /// cref="RnnBuilder.InitialState(ComputationGraph, bool, ReadOnlySpan{Expression})"/>.
    /// </param>
    /// <param name="ends">
    /// For each layer where its forward builder ends, after the last input, and its backward builder, after the first.
    /// </param>
    /// <param name="update">
    /// Whether gradients flow into the builders' parameters; otherwise they are constants. A start that is a state of
    /// the builder itself says so instead.
    /// </param>
    /// <returns>
    /// An output for each: that of the last layer's forward builder, then that of its backward builder.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// There are no inputs, or not as many starts as layers, or a state of another builder has more or fewer vectors
    /// than <see cref="RnnBuilder.StateCount"/> says.
    /// </exception>
    /// <exception cref="ShapeMismatchException">
    /// An input has another size, or a vector of another builder's state.
    /// </exception>
    /// <exception cref="StaleExpressionException">An input or a state is stale, or of another graph.</exception>
    /// <exception cref="ObjectDisposedException">A builder or the graph is disposed.</exception>
    public IReadOnlyList<Expression> Transduce(
        ComputationGraph graph,
        IEnumerable<Expression> xs,
        IReadOnlyList<(RnnState Forward, RnnState Backward)> starts,
        out IReadOnlyList<(RnnState Forward, RnnState Backward)> ends,
        bool update = true)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(xs);
        ArgumentNullException.ThrowIfNull(starts);
        if (starts.Count != 0 && starts.Count != _layers.Length)
        {
            throw new ArgumentException(
                $"{starts.Count} pairs of states for {_layers.Length} layers: one for each, or none.", nameof(starts));
        }
        Expression[] values = [.. xs];
        if (values.Length == 0)
            throw new ArgumentException("The sequence is empty: at least one input is needed.", nameof(xs));
        (RnnState Forward, RnnState Backward)[] states = Starts(graph, starts, update);
        for (int layer = 0; layer < _layers.Length; layer++)
        {
            (RnnState ahead, RnnState back) = states[layer];
            var outputs = new (Expression Ahead, Expression Back)[values.Length];
            for (int i = 0; i < values.Length; i++)
            {
                ahead = ahead.AddInput(values[i]);
                outputs[i].Ahead = ahead.Output;
                back = back.AddInput(values[^(i + 1)]);
                outputs[^(i + 1)].Back = back.Output;
            }
            for (int i = 0; i < values.Length; i++)
                values[i] = Ops.Concatenate(outputs[i].Ahead, outputs[i].Back);
            states[layer] = (ahead, back);
        }
        ends = Array.AsReadOnly(states);
        return Array.AsReadOnly(values);
    }

    /// <summary>Sets one dropout rate for all builders, as <see cref="RnnBuilder.SetDropout"/> does.</summary>
    /// <param name="rate">0 or more, less than 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is out of its range. No builder's is changed.</exception>
    /// <exception cref="ObjectDisposedException">A builder is disposed. No builder's rate is changed.</exception>
    public void SetDropout(double rate)
    {
        RnnRates.Check(rate, nameof(rate));
        foreach ((RnnBuilder forward, RnnBuilder backward) in _layers)
        {
            forward.ThrowIfDisposed();
            backward.ThrowIfDisposed();
        }
        foreach ((RnnBuilder forward, RnnBuilder backward) in _layers)
        {
            forward.SetDropout(rate);
            backward.SetDropout(rate);
        }
    }

    /// <summary>Ends dropout, for sequences that start afterwards.</summary>
    /// <exception cref="ObjectDisposedException">A builder is disposed. No builder's rate is changed.</exception>
    public void DisableDropout() => SetDropout(0);

    /// <summary>Gives these builders' parameters the values of another's.</summary>
    /// <param name="other">As many layers of builders of the same kinds and sizes.</param>
    /// <remarks>
    /// The values are copied; each trains its own afterwards. Must not run beside anything else that uses the models.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The other has more or fewer layers, builders of another kind, or parameters of other shapes. No value is
    /// changed.
    /// </exception>
    /// <exception cref="ObjectDisposedException">A model is disposed. No value is changed.</exception>
    public void CopyFrom(BidirectionalBuilder other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other._layers.Length != _layers.Length)
        {
            throw new ArgumentException(
                $"The other has {other._layers.Length} layers, this one {_layers.Length}.", nameof(other));
        }
        for (int i = 0; i < _layers.Length; i++)
        {
            ParameterLists.CheckKind(other._layers[i].Forward, _layers[i].Forward);
            ParameterLists.CheckKind(other._layers[i].Backward, _layers[i].Backward);
        }
        ParameterLists.Copy(
            [.. other.Parameters.SelectMany(layer => layer)], [.. Parameters.SelectMany(layer => layer)]);
    }

    /// <summary>Disposes the builders. The parameters stay in the model.</summary>
    public void Dispose()
    {
        foreach ((RnnBuilder forward, RnnBuilder backward) in _layers)
        {
            forward.Dispose();
            backward.Dispose();
        }
    }

    /// <summary>Where each layer starts. Nothing of the sequence is recorded before all are known to fit.</summary>
    private (RnnState Forward, RnnState Backward)[] Starts(
        ComputationGraph graph, IReadOnlyList<(RnnState Forward, RnnState Backward)> given, bool update)
    {
        var states = new (RnnState Forward, RnnState Backward)[_layers.Length];
        for (int layer = 0; layer < states.Length; layer++)
        {
            (RnnBuilder forward, RnnBuilder backward) = _layers[layer];
            states[layer] = given.Count == 0
                ? (forward.InitialState(graph, update), backward.InitialState(graph, update))
                : (
                    Start(forward, given[layer].Forward, $"layer {layer}, forward"),
                    Start(backward, given[layer].Backward, $"layer {layer}, backward"));
        }
        return states;

        RnnState Start(RnnBuilder builder, in RnnState state, string where)
        {
            var vectors = new Expression[state.Count];
            for (int i = 0; i < vectors.Length; i++)
            {
                vectors[i] = new Expression(graph, graph.Bind(state.S(i)));
                _ = vectors[i].Dim;
            }
            if (state.Builder == builder)
                return state;
            if (vectors.Length != builder.StateCount)
            {
                throw new ArgumentException(
                    $"BidirectionalBuilder: {where}: a state of another builder, with {vectors.Length} vectors; a "
                    + $"{builder.GetType().Name} starts with {builder.StateCount}.",
                    nameof(given));
            }
            foreach (Expression vector in vectors)
            {
                Dim dim = vector.Dim;
                if (dim.Rows != builder.HiddenDim || dim.BatchElementSize != builder.HiddenDim)
                {
                    throw new ShapeMismatchException(
                        $"BidirectionalBuilder: {where}: a vector of another builder's state is {dim}, expected "
                        + $"{{{builder.HiddenDim}}}");
                }
            }
            return builder.InitialState(graph, update, vectors);
        }
    }
}
