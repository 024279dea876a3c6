namespace DynNet.Native;

/// <summary>
/// What a comparison of gradients with differences found: the test for a network, or an operation, of one's own.
/// </summary>
/// <param name="Elements">How many elements of parameters were compared.</param>
/// <param name="Failed">How many of them differ by more than is allowed.</param>
/// <param name="Undecided">
/// Of how many nothing can be said: both numbers are smaller than what rounding of the loss explains.
/// </param>
/// <param name="Worst">
/// The largest difference relative to the larger of gradient and difference, of those that rounding does not explain;
/// infinite if a number was not finite.
/// </param>
/// <param name="Report">A line for each element that failed: the parameter, the element, the two numbers.</param>
public readonly record struct GradientCheck(
    long Elements, long Failed, long Undecided, double Worst, string Report)
{
    /// <summary>Whether no element failed, and some were decided.</summary>
    public bool Passed => Failed == 0 && Undecided < Elements;

    /// <summary>
    /// Compares the gradients of an expression with respect to a model's parameters with central differences: each element
    /// is set a step higher and lower, and the graph computed anew.
    /// </summary>
    /// <param name="loss">An expression of one element.</param>
    /// <param name="model">
    /// Of which parameters, of a sub-collection's if it is one. Of lookup tables those rows that the loss depends on.
    /// </param>
    /// <param name="step">
    /// Of values up to 1; of larger ones it is this part of them. At least 1.2e-38, which is the least that a float can
    /// be.
    /// </param>
    /// <param name="tolerance">
    /// An element fails if gradient and difference differ by more than this part of the larger one, plus what rounding of
    /// the loss to float32 explains.
    /// </param>
    /// <param name="most">How many elements of each parameter to check at most, evenly spread; 0 for all.</param>
    /// <returns>What was found.</returns>
    /// <remarks>
    /// It begins with a <see cref="Expression.Forward"/>, whose random numbers all further ones draw, so that networks with
    /// dropout can be checked. What has another gradient than its derivative on purpose, such as <see
    /// cref="Ops.FlipGradient"/>, fails. Afterwards parameters are as before and values those of the first forward; the
    /// gradients that have accumulated are not touched, and those of the latest backward are gone. No other thread may use
    /// the model meanwhile. It takes two forwards an element: check small networks, and small losses, whose rounding hides
    /// less.
    /// </remarks>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    /// <exception cref="ShapeMismatchException">The expression has more than one element.</exception>
    /// <exception cref="StaleExpressionException">The expression is stale.</exception>
    /// <exception cref="ObjectDisposedException">The graph or the model is disposed.</exception>
    public static GradientCheck Run(
        Expression loss, Model model, double step = 0.001, double tolerance = 0.01, long most = 0)
    {
        ArgumentNullException.ThrowIfNull(model);
        ComputationGraph graph = loss.Graph;
        using Interop.Lease lease = model.Lease();
        GradientCheck result =
            Interop.GraphCalls.CheckGradients(graph.Pointer, loss.Native, lease.Pointer, step, tolerance, most);
        GC.KeepAlive(graph);
        return result;
    }
}
