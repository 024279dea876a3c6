namespace DynNet.Native;

/// <summary>The softmax of b + W h, or of W h.</summary>
/// <remarks>
/// Parameters that it makes are in a sub-collection <c>standard-softmax-builder</c>: W {classes, input} and b
/// {classes}. It keeps nothing about a graph, so graphs in any number of threads may use it at once.
/// </remarks>
public sealed class StandardSoftmaxBuilder : SoftmaxBuilder
{
    private readonly Parameter _weights;
    private readonly Parameter? _bias;

    /// <summary>Makes a builder and its parameters.</summary>
    /// <param name="model">The model or sub-collection that gets the parameters.</param>
    /// <param name="inputDim">The size of h.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="bias">Whether there is b.</param>
    /// <remarks>
    /// Must not run beside anything else that uses the model, which is as before if this fails.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number is less than 1.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public StandardSoftmaxBuilder(Model model, int inputDim, int classes, bool bias = true)
        : base(inputDim)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (classes < 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(classes), classes, $"{classes} classes: there must be at least 1.");
        }
        (_weights, _bias) = model.AllOrNothing(() =>
        {
            using Model own = model.AddSubcollection("standard-softmax-builder");
            return (
                ParameterLists.Matrix(own, classes, inputDim), bias ? ParameterLists.Vector(own, classes) : null);
        });
    }

    /// <summary>Makes a builder of parameters that there are.</summary>
    /// <param name="weights">W {classes, input}.</param>
    /// <param name="bias">b {classes}; none if null.</param>
    /// <exception cref="ShapeMismatchException">The shapes do not fit.</exception>
    public StandardSoftmaxBuilder(Parameter weights, Parameter? bias = null)
        : base(Columns(weights))
    {
        if (bias is not null && bias.Dim != Dim.Of(weights.Dim.Rows))
            throw new ShapeMismatchException($"StandardSoftmaxBuilder: the bias {bias} does not fit {weights}");
        _weights = weights;
        _bias = bias;
    }

    /// <inheritdoc/>
    public override int ClassCount => _weights.Dim.Rows;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => _bias is null ? [_weights] : [_weights, _bias];

    /// <inheritdoc/>
    public override Expression NegLogSoftmax(Expression h, int index, bool update = true) =>
        Ops.PickNegLogSoftmax(FullLogits(h, update), index);

    /// <inheritdoc/>
    public override Expression FullLogDistribution(Expression h, bool update = true) =>
        Ops.LogSoftmax(FullLogits(h, update));

    /// <inheritdoc/>
    public override Expression FullLogits(Expression h, bool update = true) =>
        Scores(_weights, _bias, Checked(h), update);

    /// <inheritdoc/>
    private protected override Expression NegLogSoftmaxOfBatch(
        Expression h, ReadOnlySpan<int> indices, bool update) =>
        Ops.PickNegLogSoftmax(FullLogits(h, update), indices);

    /// <inheritdoc/>
    private protected override int SampleOf(Expression h) => FullLogits(h).Sample();

    private static int Columns(Parameter weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        Dim dim = weights.Dim;
        return dim.BatchElementSize == (long)dim.Rows * dim.Columns
            ? dim.Columns
            : throw new ShapeMismatchException($"StandardSoftmaxBuilder: the weights {weights} are no matrix");
    }
}
